"""The simulated entity sets have no field that F&O does not have."""

from __future__ import annotations

import json

import pytest

from syncworkers.sandbox.dynamics365 import entities
from syncworkers.sandbox.dynamics365.events import EventSender
from syncworkers.sandbox.faults import FaultPlan
from tests.contracts.shared import folder

COMPANY = "dataAreaId"
"""Every set of a company has it; the contract knows the fields of some from CDM only."""


@pytest.mark.parametrize(
    ("entity_set", "ours"),
    [
        ("SalesOrderHeadersV2", entities.HEADER),
        ("SalesOrderLinesV3", entities.LINE),
        ("CustomersV3", entities.CUSTOMER),
        ("PackingSlipTrackingInformation", entities.TRACKING),
        ("SalesInvoiceHeadersV2", entities.INVOICE_HEADER),
        ("SalesInvoiceLinesV2", entities.INVOICE_LINE),
    ],
)
def test_simulated_fields_are_real_fields(entity_set: str, ours: dict[str, object]) -> None:
    contract = json.loads((folder("contracts/dynamics365") / "entities.json").read_bytes())

    real = set(contract["entities"][entity_set]["fields"])

    assert sorted(set(ours) - real - {COMPANY}) == []


def test_simulated_states_are_real_states() -> None:
    contract = json.loads((folder("contracts/dynamics365") / "entities.json").read_bytes())

    assert set(entities.TOO_LATE) <= set(contract["enums"]["SalesOrderProcessingStatus"])


def test_simulated_events_have_the_documented_fields() -> None:
    text = (folder("samples/dynamics365") / "business_events/contracts_from_docs.json").read_text()
    documented = json.loads(text)["SalesInvoicePostedBusinessEvent"]
    sender = EventSender("", FaultPlan(level="none", seed=1), seed=1)
    header = {**entities.INVOICE_HEADER, "dataAreaId": "usmf"}

    for _ in range(3):
        event = sender.event(header)

        assert set(documented) <= set(event)
