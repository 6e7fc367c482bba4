from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.invoices import Invoice, InvoiceLine
from syncworkers.rules.matching import BookedLine, ShippedUnits, match
from tests.unit.orders import AT

BOOKED = [
    BookedLine(reference="L1", item="A", net_price=Decimal("10.00")),
    BookedLine(reference="L2", item="B", net_price=Decimal("5.00")),
    BookedLine(reference="L3", item="A", net_price=Decimal("8.00")),
]


def left(shipment: int, reference: str, quantity: int) -> ShippedUnits:
    return ShippedUnits(
        shipment=shipment,
        shipped_at=AT + dt.timedelta(hours=shipment),
        reference=reference,
        quantity=quantity,
    )


def invoice(number: str, *lines: tuple[str, int, str], day: int = 24) -> Invoice:
    return Invoice(
        external_id=f"usmf/{number}",
        number=number,
        company="usmf",
        order_number="US1",
        customer_reference="",
        date=dt.date(2026, 11, day),
        currency="USD",
        total=Decimal(0),
        tax_total=Decimal(0),
        charge_total=Decimal(0),
        lines=tuple(
            InvoiceLine(
                number=place,
                item=item,
                description="",
                quantity=Decimal(quantity),
                unit_price=Decimal(price),
                amount=quantity * Decimal(price),
                tax=Decimal(0),
            )
            for place, (item, quantity, price) in enumerate(lines, start=1)
        ),
    )


def placed(shipped: list[ShippedUnits], *invoices: Invoice) -> list[tuple[Any, ...]]:
    found = [
        (one.invoice, one.line, one.reference, one.shipment, int(one.quantity), one.certain)
        for one in match(BOOKED, shipped, invoices)
    ]
    return sorted(found, key=str)


def test_an_invoice_of_exactly_one_shipment_belongs_to_it() -> None:
    shipped = [left(1, "L1", 2), left(2, "L2", 1)]

    assert placed(shipped, invoice("2", ("B", 1, "5.00")), invoice("1", ("A", 2, "10.00"))) == [
        ("usmf/1", 1, "L1", 1, 2, True),
        ("usmf/2", 1, "L2", 2, 1, True),
    ]


def test_two_shipments_of_one_content_are_told_apart_by_their_order_and_marked() -> None:
    shipped = [left(1, "L2", 1), left(2, "L2", 1)]

    assert placed(shipped, invoice("1", ("B", 1, "5.00")), invoice("2", ("B", 1, "5.00"))) == [
        ("usmf/1", 1, "L2", 1, 1, False),
        ("usmf/2", 1, "L2", 2, 1, False),
    ]


def test_one_invoice_over_several_shipments_is_placed_unit_by_unit() -> None:
    shipped = [left(1, "L1", 1), left(2, "L1", 1), left(2, "L2", 1)]

    assert placed(shipped, invoice("1", ("A", 2, "10.00"), ("B", 1, "5.00"))) == [
        ("usmf/1", 1, "L1", 1, 1, True),
        ("usmf/1", 1, "L1", 2, 1, True),
        ("usmf/1", 2, "L2", 2, 1, True),
    ]


def test_lines_of_one_item_are_told_apart_by_their_price() -> None:
    shipped = [left(1, "L1", 1), left(1, "L3", 1), left(1, "L2", 1)]

    assert placed(shipped, invoice("1", ("A", 1, "8.00"))) == [
        ("usmf/1", 1, "L3", 1, 1, False),
    ]


def test_what_is_billed_before_it_left_is_placed_on_its_order_line() -> None:
    assert placed([], invoice("1", ("B", 1, "5.00"))) == [("usmf/1", 1, "L2", None, 1, True)]
    assert placed([], invoice("1", ("A", 1, "8.00"))) == [("usmf/1", 1, "L3", None, 1, False)]


def test_what_nobody_ordered_is_placed_nowhere() -> None:
    assert placed([left(1, "L1", 1)], invoice("1", ("Z", 1, "1.00"))) == [
        ("usmf/1", 1, None, None, 1, False)
    ]


def test_more_billed_than_left_keeps_the_rest_visible() -> None:
    assert placed([left(1, "L2", 1)], invoice("1", ("B", 3, "5.00"))) == [
        ("usmf/1", 1, "L2", 1, 1, True),
        ("usmf/1", 1, "L2", None, 2, True),
    ]


def test_a_credit_is_placed_on_its_order_line_and_on_no_shipment() -> None:
    assert placed([left(1, "L2", 1)], invoice("1", ("B", -1, "5.00"))) == [
        ("usmf/1", 1, "L2", None, -1, True)
    ]


SHIPPED = [left(1, "L1", 1), left(2, "L1", 1), left(2, "L2", 1), left(3, "L3", 2)]
INVOICES = [
    invoice("1", ("A", 1, "10.00")),
    invoice("2", ("A", 1, "10.00"), ("B", 1, "5.00")),
    invoice("3", ("A", 2, "8.00"), day=25),
    invoice("4", ("B", 1, "5.00"), day=26),
]


@given(shipped=st.permutations(SHIPPED), invoices=st.permutations(INVOICES))
def test_the_result_does_not_depend_on_the_order_of_arrival(
    shipped: list[ShippedUnits], invoices: list[Invoice]
) -> None:
    assert placed(shipped, *invoices) == placed(SHIPPED, *INVOICES)


@given(
    shipped=st.lists(st.sampled_from(SHIPPED), max_size=4, unique_by=lambda one: one.shipment),
    invoices=st.lists(st.sampled_from(INVOICES), max_size=4, unique_by=lambda one: one.number),
)
def test_every_unit_is_placed_once_and_none_twice(
    shipped: list[ShippedUnits], invoices: list[Invoice]
) -> None:
    found = match(BOOKED, shipped, invoices)

    for one in invoices:
        for line in one.lines:
            mine = [m for m in found if (m.invoice, m.line) == (one.external_id, line.number)]
            assert sum(m.quantity for m in mine) == line.quantity
    for units in shipped:
        used = [m for m in found if (m.shipment, m.reference) == (units.shipment, units.reference)]
        assert sum(m.quantity for m in used) <= units.quantity
