"""The packing slip service as documented, as sampled in X++ and as we speak it is one."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from mappings.dynamics365.lengths import LENGTHS
from mappings.dynamics365.shipments import dump_shipment
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.connectors.dynamics365.shipments import CODES
from syncworkers.sandbox.dynamics365.slips import SERVICE, TEXTS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "dynamics365"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
SAMPLE = (FOLDER / "SyncworkersShipmentService.xpp").read_text(encoding="utf-8")
SHIPMENT = Shipment(
    reference="shipbob-west/901",
    store_order="5182437124",
    company="usmf",
    erp_number="US5182437124",
    shipped_at=dt.datetime(2026, 11, 24, 17, 30, 15, tzinfo=dt.UTC),
    carrier="FedEx",
    service="Ground",
    tracking_number="7712",
    tracking_url="https://track.example/7712",
    notify_customer=True,
    lines=(ShippedLine(reference="14001", sku="MUG", quantity=2),),
)


def examples() -> list[Any]:
    return [json.loads(one) for one in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


def test_the_documented_request_is_the_one_we_send() -> None:
    post, _, find, _ = examples()
    ours = dump_shipment(SHIPMENT)["shipment"]

    assert post == {"_request": {"shipments": [ours]}}
    key = {name: ours[name] for name in ("dataAreaId", "shipmentId")}
    assert find == {"_request": {"shipmentIds": [key]}}


def test_every_text_is_documented_with_the_length_we_check() -> None:
    documented = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| text, (\d+) \|", README, re.MULTILINE)
    told = {name: int(length) for names, length in documented for name in re.findall(r"\w+", names)}

    texts = {*TEXTS, "externalItemNumber"} - {"shippedAt"}
    assert told == {name: LENGTHS[name] for name in texts}


def test_every_reason_to_refuse_is_documented_and_sampled() -> None:
    for code, ours in CODES.items():
        assert f"| `{code}` | `{ours}` |" in README
        assert f"refuse('{code}'" in SAMPLE


def test_the_sample_knows_every_field_of_requests_and_answers() -> None:
    post, answered, find, found = examples()

    def names(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(names, value))
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set()

    members = set(re.findall(r"DataMember\('(\w+)'\)", SAMPLE))
    assert members == names([post, answered, find, found]) - {"_request"}


def test_the_sample_says_what_it_is_and_is_named_as_configured() -> None:
    group, service = SERVICE.split("/")

    assert "SAMPLE" in SAMPLE.splitlines()[0]
    assert "never been compiled or run" in README
    assert f"class {service}\n" in SAMPLE
    assert f'shipment_service = "{group}/{service}"' in README
    config = FOLDER.parents[1] / "config" / "partners" / "d365-main.toml"
    assert f'shipment_service = "{SERVICE}"' in config.read_text(encoding="utf-8")
