"""The steps of an order's journey, as tests take them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.engine import lanes
from syncworkers.policy.fulfilment import AFTER_VALIDATION
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World


def reference(order: dict[str, Any]) -> str:
    return f"shopify-us-{order['id']}-1"


def number(order: dict[str, Any]) -> str:
    return str(order["name"]).removeprefix("#")


def several_units(world: World) -> dict[str, Any]:
    """Release an order that can leave in two parcels."""
    while True:
        order = world.release()
        lines = [line for line in order["line_items"] if not line["gift_card"]]
        if sum(line["quantity"] for line in lines) > 1:
            return order


def units(order: dict[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in order["line_items"] if not line["gift_card"]}


def ship_half(world: World, order: dict[str, Any]) -> dict[str, int]:
    """Ship one unit of the first article alone; return what was shipped."""
    some = {next(iter(units(order))): 1}
    assert world.warehouse.floor.ship(reference(order), some)
    return some


def bill(world: World, order: dict[str, Any]) -> None:
    """Have the ERP invoice everything that was delivered and not invoiced."""
    erp = world.erp
    with erp.books.lock:
        header = erp.books.sets["SalesOrderHeadersV2"][("usmf", f"US{order['id']}")]
        erp.invoicing.post(header)


def at_once(world: World, *, limit: str = "100000") -> None:
    """Let orders go to the warehouse before the ERP has them."""
    stores = world.fleet.policy.fulfilment.stores
    changed = replace(
        stores[STORE], release_after=AFTER_VALIDATION, release_limit={"USD": Decimal(limit)}
    )
    stores[STORE] = changed  # type: ignore[index]


def erp_is_down(world: World, *, down: bool) -> None:
    lane = world.fleet.lanes[f"orders.deliver:{ERP}"].id
    with world.fleet.session() as session:
        if down:
            lanes.pause(session, lane, seconds=None, reason="it is down", actor="ann")
        else:
            lanes.resume(session, lane)


def work(world: World) -> None:
    """Let the others work while a side is away."""
    for kind in ("order", "shipment", "invoice"):
        world.process(kind)  # type: ignore[arg-type]
    for partner in (ERP, WAREHOUSE, STORE):
        world.deliver(partner)


def told(world: World, order: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in world.sold() if one["id"] == str(order["id"]))


def cases(world: World, state: str = "open") -> list[str]:
    question = "SELECT code FROM exception_case WHERE state = :state ORDER BY id"
    return [row[0] for row in world.rows(question, state=state)]


def bill_everything(world: World, order: dict[str, Any]) -> None:
    """Have the ERP invoice an order before anything of it was delivered."""
    books = world.erp.books
    with books.lock:
        header = books.sets["SalesOrderHeadersV2"][("usmf", f"US{order['id']}")]
        goods = {str(one["id"]) for one in order["line_items"] if not one["gift_card"]}
        wanted = {
            line["ExternalItemNumber"]: Decimal(line["OrderedSalesQuantity"])
            for line in books.lines_of(header)
            if line["ExternalItemNumber"] in goods
        }
        world.erp.invoicing.post(header, wanted)
