"""Every real order payload goes the whole way: applied, or rejected with path and reason."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.store import ledger
from tests.contracts.shared import folder
from tests.integration.conftest import world  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from tests.integration.world import World

ADDRESS = {
    "name": "Ada Byron",
    "address1": "1 Main St",
    "city": "Eugene",
    "province_code": "OR",
    "zip": "97401",
    "country_code": "US",
}
TOPICS = ("orders/create", "orders/updated", "orders/cancelled")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_sample_order_ends_applied_or_rejected_with_path_and_reason(
    world: World,  # noqa: F811 - the fixture
    topic: str,
) -> None:
    samples = sorted(folder("samples/shopify/orders").glob("*.json"))
    assert len(samples) >= 20

    for sample in samples:
        assert world.webhook(topic, sample.read_bytes(), webhook_id=sample.stem) == 200
    world.settle(seconds=60)

    ends = dict(world.rows("SELECT external_id, state FROM message"))
    assert ends.keys() == {sample.stem for sample in samples}
    assert set(ends.values()) <= {"applied", "superseded", "rejected"}
    cases = world.rows(
        "SELECT c.violations, c.error FROM exception_case c JOIN message m ON m.id = c.about_id"
        " WHERE c.about = 'message'"
    )
    assert len(cases) == sum(state == "rejected" for state in ends.values())
    for violations, error in cases:
        assert error
        assert violations
        assert all(one["path"] and one["message"] for one in violations)
    assert ledger.prove(world.fleet.database).findings == ()


def test_every_sample_order_is_booked_to_the_cent_once_its_tables_know_it(
    world: World,  # noqa: F811 - the fixture
) -> None:
    """Real lines, taxes, discounts and totals; what is lacking of an address is filled in."""
    bookings: Any = world.fleet.policy.bookings
    policy: Any = replace(bookings["shopify-us"], currencies=frozenset())
    bookings["shopify-us"] = policy
    warehouse: Any = world.fleet.policy.fulfilment.warehouses["shipbob-west"]
    policy.delivery_modes[""] = "GROUND"
    warehouse.shipping_methods[""] = "Standard"
    samples = sorted(folder("samples/shopify/orders").glob("*.json"))
    totals = {}
    for position, sample in enumerate(samples, start=1):
        order = json.loads(sample.read_bytes())
        order |= {"id": position, "test": False, "cancelled_at": None}
        order |= {"shipping_address": ADDRESS, "billing_address": ADDRESS}
        for line in order["line_items"]:
            line["sku"] = line.get("sku") or "UNNAMED"
            policy.items.setdefault(line["sku"], "1000")
            warehouse.items.setdefault(line["sku"], "20000001")
        for line in order.get("shipping_lines") or ():
            policy.delivery_modes.setdefault(line["title"], "GROUND")
            warehouse.shipping_methods.setdefault(line["title"], "Standard")
        totals[f"US{position}"] = Decimal(order.get("current_total_price") or order["total_price"])
        assert world.webhook("orders/create", order) == 200

    world.settle(seconds=60)

    assert world.rows("SELECT entity, violations FROM exception_case") == []
    assert {one["number"]: Decimal(one["total"]) for one in world.booked()} == totals
    assert ledger.prove(world.fleet.database).findings == ()
