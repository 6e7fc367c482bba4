"""What the warehouse and its carriers write: one transaction set each, without its numbers.

Source: X12 004010. Line states (W12-01): CC complete, BP more follows, CP no more follows, DS
nothing left of it, CS another product went, IC called off. W12-03 is what is in this parcel, W12-04
what the line still lacks after it. Times are UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from syncworkers.x12.segments import Segment, segment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.sandbox.edi_warehouse.books import Goods, Order, Recipient, Shipment

SCACS = {"USPS": "USPS", "UPS": "UPSN", "FedEx": "FDEG"}
UNSAFE = re.compile(r"[*~>|^:\x00-\x1f\x7f]")
"""What might separate something in one of our files."""
POUNDS = Decimal("0.9")
"""What a unit weighs."""
WAREHOUSE = segment("N1", "WH", "Harbor Fulfilment", "92", "WH01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document to write; `about` is how people would call it."""

    code: str
    segments: tuple[Segment, ...]
    about: str = ""


def advice(order: Order, shipment: Shipment) -> Draft:
    """Write the ship advice for a parcel that left."""
    parcel, release = shipment.parcel, order.release
    if parcel is None or shipment.shipped_at is None:
        message = f"shipment {shipment.id} has not left"
        raise ValueError(message)
    return Draft(
        code="945",
        about=str(shipment.id),
        segments=(
            _advised(order, shipment, shipment.shipped_at),
            WAREHOUSE,
            *_ship_to(shipment.recipient),
            segment("N9", "2I", parcel.number),
            segment("W27", "U", SCACS[parcel.carrier], release.method or parcel.service),
            *_lines(order, shipment),
            segment("W03", str(shipment.units), str(shipment.units * POUNDS), "LB"),
        ),
    )


def cancelled(order: Order, at: dt.datetime) -> Draft:
    """Write the ship advice that answers a cancel: nothing of any line went."""
    lines: list[Segment] = []
    for number, one in enumerate(order.release.lines, start=1):
        ordered = str(one.quantity)
        lines += [
            segment("LX", str(number)),
            segment("W12", "IC", ordered, "0", ordered, one.unit, "", one.qualifier, one.sku),
            *_own_line(one.place),
        ]
    return Draft(
        code="945",
        about=order.reference,
        segments=(
            _advised(order, order.shipments[0], at),
            WAREHOUSE,
            *_ship_to(order.recipient),
            *lines,
            segment("W03", "0"),
        ),
    )


def _advised(order: Order, shipment: Shipment, at: dt.datetime) -> Segment:
    day, number = f"{at:%Y%m%d}", order.release.number
    return segment("W06", "F", order.reference, day, str(shipment.id), "", number)


def _ship_to(recipient: Recipient) -> Iterator[Segment]:
    yield segment("N1", "ST", _text(recipient.name))
    if recipient.address1:
        yield segment("N3", _text(recipient.address1), _text(recipient.address2))
    if recipient.city or recipient.zip_code:
        town = (recipient.city, recipient.state, recipient.zip_code, recipient.country)
        yield segment("N4", *map(_text, town))


def _lines(order: Order, shipment: Shipment) -> Iterator[Segment]:
    for number, one in enumerate(shipment.goods, start=1):
        line = one.line
        lacks = str(line.quantity - order.left(line))
        sku = one.sent_sku or line.sku
        counts = (str(line.quantity), str(one.leaving), lacks)
        yield segment("LX", str(number))
        yield segment("W12", _state(order, one), *counts, line.unit, "", line.qualifier, sku)
        yield from _own_line(line.place)


def _state(order: Order, goods: Goods) -> str:
    if order.coming(goods.line):
        return "BP"
    if order.left(goods.line) < goods.line.quantity:
        return "CP" if goods.leaving else "DS"
    return "CS" if goods.sent_sku else "CC"


def _own_line(place: str) -> tuple[Segment, ...]:
    return (segment("N9", "LI", place),) if place else ()


def tracking(
    shipment: Shipment, code: str, at: dt.datetime, *, location: Sequence[str] = ()
) -> Draft:
    """Write a carrier's news of a parcel: AF picked up, X6 on its way, D1 delivered, or others."""
    parcel = shipment.parcel
    number, carrier = (parcel.number, SCACS[parcel.carrier]) if parcel else ("", "USPS")
    return Draft(
        code="214",
        about=str(shipment.id),
        segments=(
            segment("B10", number, str(shipment.id), carrier),
            segment("LX", "1"),
            segment("AT7", code, "NS", "", "", f"{at:%Y%m%d}", f"{at:%H%M%S}", "GM"),
            *((segment("MS1", *location),) if location else ()),
        ),
    )


def snapshot(number: int, stock: Mapping[str, tuple[int, int]], at: dt.datetime) -> Draft:
    """Write what lies there, by SKU on hand and available, as of a moment."""
    day, clock = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    rows: list[Segment] = []
    for place, (sku, (held, free)) in enumerate(stock.items(), start=1):
        rows += [
            segment("LIN", str(place), "VN", sku),
            segment("QTY", "17", str(held), "EA"),
            segment("QTY", "33", str(free), "EA"),
        ]
    return Draft(
        code="846",
        about=f"INV-{number}",
        segments=(
            segment("BIA", "00", "CM", f"INV-{number}", day, clock),
            segment("DTM", "007", day, clock, "GM"),
            WAREHOUSE,
            *rows,
            segment("CTT", str(len(stock))),
        ),
    )


def adjustment(number: int, sku: str, units: int, reason: str, at: dt.datetime) -> Draft:
    """Write that stock was found to be other than it was, in signed units."""
    name = f"ADJ-{number}"
    return Draft(
        code="947",
        about=name,
        segments=(
            segment("W15", f"{at:%Y%m%d}", name, name),
            WAREHOUSE,
            segment("W19", reason, str(units), "EA", "", "VN", sku),
        ),
    )


def receipt(
    number: int, reference: str, lines: Mapping[str, tuple[int, int]], at: dt.datetime
) -> Draft:
    """Write that goods came, by SKU the sound units and the damaged ones."""
    name, rows = f"RC-{number}", []
    for sku, (sound, damaged) in lines.items():
        rows.append(segment("W07", str(sound), "EA", "", "VN", sku))
        rows += [segment("W13", str(damaged), "EA", "01")] if damaged else []
    came = sum(sound for sound, _ in lines.values())
    broken = sum(damaged for _, damaged in lines.values())
    return Draft(
        code="944",
        about=name,
        segments=(
            segment("W17", "F", f"{at:%Y%m%d}", name, reference),
            WAREHOUSE,
            *rows,
            segment("W14", str(came), str(came + broken), str(broken)),
        ),
    )


def invoice(number: int, shipment: Shipment, at: dt.datetime) -> Draft:
    """Bill the handling of a parcel: so much a unit, and its box."""
    name, units = f"INV-{number}", shipment.units
    cents = 85 * units + 150
    return Draft(
        code="810",
        about=name,
        segments=(
            segment("BIG", f"{at:%Y%m%d}", name, "", "", "", "", "DI"),
            segment("CUR", "SE", "USD"),
            segment("REF", "BM", str(shipment.id)),
            segment("IT1", "1", str(units), "EA", ".85", "", "VN", "PICK"),
            segment("IT1", "2", "1", "EA", "1.5", "", "VN", "BOX"),
            segment("TDS", str(cents)),
            segment("CTT", "2"),
        ),
    )


def freight(number: int, shipment: Shipment, at: dt.datetime) -> Draft:
    """Bill the carriage of a parcel: base and fuel."""
    name, parcel = f"FB-{number}", shipment.parcel
    tracked, carrier = (parcel.number, SCACS[parcel.carrier]) if parcel else ("", "USPS")
    weight = str(shipment.units * POUNDS)
    base, fuel = 900 + 60 * shipment.units, 180
    due, day = str(base + fuel), f"{at:%Y%m%d}"
    return Draft(
        code="210",
        about=name,
        segments=(
            segment("B3", "B", name, str(shipment.id), "PP", "", day, due, "", "", "", carrier),
            segment("C3", "USD"),
            segment("N9", "BM", str(shipment.id)),
            segment("N9", "CN", tracked or str(shipment.id)),
            segment("LX", "1"),
            segment("L5", "1", "PARCEL"),
            segment("L0", "1", "", "", weight, "G", "", "", "1", "PCS"),
            segment("L1", "1", f"{base / 100:.2f}", "FR", str(base)),
            segment("L1", "1", "", "", str(fuel), "", "", "", "FUE"),
            segment("L3", weight, "G", "", "", due),
        ),
    )


def _text(value: str) -> str:
    return UNSAFE.sub(" ", value).strip()
