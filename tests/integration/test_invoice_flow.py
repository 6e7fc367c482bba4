"""Invoices on their way to the store: early, for nobody, and past a refused fulfilment."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.integration.journeys import (
    bill,
    bill_everything,
    cases,
    reference,
    told,
)

if TYPE_CHECKING:
    from tests.integration.world import World


def test_an_invoice_before_its_shipment_is_shown_at_once_and_matched_later(world: World) -> None:
    order = world.release()
    bill_everything(world, order)
    world.hear()

    assert "erp.invoices" in told(world, order)["metafields"]
    assert world.ask("SELECT count(*) FROM invoice_match WHERE shipment_id IS NULL") > 0
    assert world.rows("SELECT child_kind FROM lineage WHERE parent_kind = 'order'") == [
        ("part",),
        ("invoice",),
    ]

    world.warehouse.floor.ship(reference(order))
    world.hear()

    assert world.ask("SELECT count(*) FROM invoice_match WHERE shipment_id IS NULL") == 0
    assert world.rows("SELECT parent_kind FROM lineage WHERE child_kind = 'invoice'") == [
        ("shipment",)
    ]
    state = "SELECT state FROM expectation WHERE name = 'invoiced'"
    assert world.rows(state) == [("met",)]
    world.assert_sound()


def test_an_invoice_reaches_the_store_though_its_fulfilment_was_refused(world: World) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))  # and nobody tells us
    world.warehouse.floor.ship(reference(order))
    world.hear()
    assert cases(world) == ["store.not_fulfillable"]

    bill(world, order)
    world.hear()

    known = told(world, order)
    assert known["fulfillments"] == []
    assert json.loads(known["metafields"]["erp.invoices"])
    world.assert_sound()


def test_an_invoice_of_nobodys_order_is_left_alone(world: World) -> None:
    books = world.erp.books
    books.create(
        "SalesOrderHeadersV2",
        {"SalesOrderNumber": "PHONE-1", "OrderingCustomerAccountNumber": "C-1"},
    )
    books.create(
        "SalesOrderLinesV3",
        {
            "SalesOrderNumber": "PHONE-1",
            "ItemNumber": "1000",
            "OrderedSalesQuantity": 1,
            "SalesPrice": Decimal(5),
            "ExternalItemNumber": "1",
            "ShippingWarehouseId": "13",
        },
    )
    with books.lock:
        header = books.sets["SalesOrderHeadersV2"][("usmf", "PHONE-1")]
        world.erp.invoicing.post(header, {"1": Decimal(1)})

    world.hear()

    [(state, reason)] = world.rows("SELECT state, reason FROM message")
    assert (state, reason) == (
        "superseded",
        "it is for no order of a store (sales order PHONE-1)",
    )
