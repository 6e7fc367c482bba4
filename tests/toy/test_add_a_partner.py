"""The README's “Add a partner”, followed with a toyshop that lives entirely beside this file.

No file of the core is touched: what the list says goes into files of its own, and into the
registries, a line each.
"""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mappings
from syncworkers import connectors
from syncworkers.canonical.kinds import Kind
from syncworkers.flows.poll import poll
from syncworkers.store import ledger
from tests.connectors.test_connectors import BENCHES
from tests.integration import world as whole
from tests.integration.world import ERP, QUICK, WAREHOUSE, serving
from tests.toy import mapping
from tests.toy.bench import KEY
from tests.toy.connector import ToyShop as Connector
from tests.toy.simulator import ToyShop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis
    from sqlalchemy import Engine

    from syncworkers.servers import Servers
    from tests.integration.world import World

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAME = "toy-kids"
PARTNER = """
connector = "toyshop"
role = "store"
brand = "kids"

[connection]
url = { env = "TOY_KIDS_URL" }
key = { env = "TOY_KIDS_KEY" }

[poll]
every = "1s"
"""
BOOKING = """
[toy-kids]
erp = "d365-main"
company = "usmf"
order_prefix = "TOY"
language = "en-us"
customers = "one_time"
one_time_customer = "ONLINE-TOY"

[toy-kids.items]
"MUG-BLU-01" = "3000"
"MUG-GRN-01" = "3001"

[toy-kids.warehouses]
US = "13"

[toy-kids.delivery_modes]
"Post" = "GROUND"
"""
FULFILMENT = """
[stores.toy-kids]
warehouse = "shipbob-west"
release_after = "erp_booked"
notify_customer = false
"""
METHODS = ('"Standard" = "Standard"', '"Standard" = "Standard"\n"Post" = "Standard"')
"""The warehouse ships by post what a toyshop has shipped by post."""
STEPS = {
    "A partner of a known kind": ("PARTNER", "BOOKING", "FULFILMENT"),
    "A new kind": ("connector.py",),
    "`mappings/<kind>/<object>.py`": ("mapping.py",),
    "`syncworkers/sandbox/<kind>/`": ("simulator.py",),
    "Give it a bench": ("bench.py", "test_toy_suite.py"),
}
"""How each step of the list begins, and what here follows it."""


def prepare(config: Path) -> None:
    """Configure the toyshop as step 1 says."""
    (config / "partners" / f"{NAME}.toml").write_text(PARTNER)
    for name, more in (("booking", BOOKING), ("fulfilment", FULFILMENT)):
        place = config / f"{name}.toml"
        place.write_text(place.read_text().replace(*METHODS, 1) + more)


@pytest.fixture
def shop() -> Iterator[tuple[ToyShop, str]]:
    made = ToyShop(KEY)
    with serving(made.program) as url:
        yield made, url


@pytest.fixture
def world(  # noqa: PLR0917 - a fixture's fixtures
    shop: tuple[ToyShop, str],
    clean_database: Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """The whole world, and a toyshop that an engineer has just added."""
    registry: Any = connectors.CONNECTORS
    reads: Any = mappings.READS
    writes: Any = mappings.WRITES
    monkeypatch.setitem(registry, "toyshop", Connector)
    monkeypatch.setitem(reads, ("toyshop", "toy/sold"), mapping)
    monkeypatch.setitem(writes, ("toyshop", "shipment.create"), mapping.dump_shipment)
    monkeypatch.setitem(writes, ("toyshop", "invoice.note"), mapping.dump_invoices)
    monkeypatch.setenv("TOY_KIDS_URL", shop[1])
    monkeypatch.setenv("TOY_KIDS_KEY", KEY)
    urls = running_servers.database_url, running_servers.redis_url
    with whole.world(*urls, tmp_path, monkeypatch, overlay=QUICK, prepare=prepare) as started:
        yield started


def steps() -> list[str]:
    text = (ROOT / "README.md").read_text()
    part = text.partition("## Add a partner")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. (.+)", part, flags=re.MULTILINE)


def test_every_step_of_the_list_is_followed_here() -> None:
    assert len(steps()) == len(STEPS)
    for said, (begins, followed) in zip(steps(), STEPS.items(), strict=True):
        assert said.startswith(begins)
        for one in followed:
            assert one in globals() or (HERE / one).is_file()


def test_nothing_outside_of_this_folder_knows_the_toyshop() -> None:
    core = [
        *ROOT.glob("syncworkers/**/*.py"),
        *ROOT.glob("mappings/**/*.py"),
        *ROOT.glob("config/**/*.toml"),
    ]

    assert len(core) > 200
    assert [str(one) for one in core if "toyshop" in one.read_text()] == []
    assert "toyshop" not in BENCHES


def test_a_toy_is_sold_shipped_and_invoiced(world: World, shop: tuple[ToyShop, str]) -> None:
    toys, _ = shop
    toys.sell(7, MUG_BLU_01=2, MUG_GRN_01=1)
    body = json.dumps(toys.sell(8, MUG_BLU_01=1)).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{world.gateway}/webhooks/{NAME}", body, {"X-Toy-Signature": toys.sign(body)}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.status == 200
    poll(world.fleet, NAME, Kind.ORDER)
    world.settle()
    for reference in [part["reference"] for part in world.parts(WAREHOUSE)]:
        world.warehouse.floor.ship(reference)
    world.hear()
    with world.erp.books.lock:
        for header in list(world.erp.books.sets["SalesOrderHeadersV2"].values()):
            world.erp.invoicing.post(header)
    world.poll(ERP)
    world.settle()

    booked = {one["number"]: one for one in world.booked()}
    assert sorted(booked) == ["TOY7", "TOY8"]
    assert [len(one["slips"]) for one in booked.values()] == [1, 1]
    assert sorted(one["order"] for one in toys.shipments.values()) == ["7", "8"]
    told = next(one for one in toys.shipments.values() if one["order"] == "7")
    assert told["lines"] == {"7-MUG_BLU_01": 2, "7-MUG_GRN_01": 1}
    assert {number: len(notes) for number, notes in toys.notes.items()} == {"7": 1, "8": 1}
    assert world.ask("SELECT count(*) FROM exception_case") == 0
    assert ledger.prove(world.fleet.database).findings == ()
