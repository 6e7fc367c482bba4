"""Compare what we sent with what stands at the warehouse."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.shipbob.wire import fields, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Fields = Mapping[str, Any]

_ADDRESS = ("address1", "address2", "company_name", "city", "state", "zip_code", "country")
_RECIPIENT: Mapping[str, str] = {
    "street_address1": "address1",
    "street_address2": "address2",
    "company_name": "company_name",
    "city": "city",
    "state": "state",
    "zip_code": "zip_code",
    "country_code": "country",
}
"""A field of an address change = the field of a recipient's address it changes."""


def document_differences(sent: Fields, stands: Fields) -> list[str]:
    """Name what makes it another order: our reference, and what is to be shipped."""
    found = _differences(("reference_id",), sent, stands)
    wanted, there = _products(sent), _products(stands)
    if wanted != there:
        found.append(f"products: sent {_told(wanted)}, stands {_told(there)}")
    return found


def detail_differences(sent: Fields, stands: Fields) -> list[str]:
    """Name what else stands otherwise than sent: its number, how it is shipped, and to whom."""
    ours, theirs = fields(sent.get("recipient")), fields(stands.get("recipient"))
    return [
        *_differences(("order_number", "shipping_method"), sent, stands),
        *_differences(("name",), ours, theirs),
        *_differences(_ADDRESS, fields(ours.get("address")), fields(theirs.get("address"))),
    ]


def address_differences(wanted: Fields, shipment: Fields) -> list[str]:
    """Name what of a shipment's recipient differs from an address change."""
    recipient = fields(shipment.get("recipient"))
    address = fields(recipient.get("address"))
    stands = {ours: address.get(theirs) for ours, theirs in _RECIPIENT.items()}
    stands["recipient_name"] = recipient.get("name") or recipient.get("full_name")
    return _differences(stands, wanted, stands)


def _differences(names: Iterable[str], sent: Fields, stands: Fields) -> list[str]:
    """Compare fields by name; what we do not send is the warehouse's own."""
    return [
        f"{name}: sent {sent[name]!r}, stands {stands.get(name)!r}"
        for name in names
        if name in sent and _plain(sent[name]) != _plain(stands.get(name))
    ]


def _products(order: Fields) -> Counter[str]:
    units: Counter[str] = Counter()
    for name, quantity in _lines(order):
        units[name] += quantity
    return units


def _lines(order: Fields) -> Iterator[tuple[str, int]]:
    for line in rows(order.get("products")):
        quantity = line.get("quantity")
        yield str(line.get("reference_id")), quantity if isinstance(quantity, int) else 0


def _told(units: Counter[str]) -> str:
    return ", ".join(f"{count} of {name}" for name, count in sorted(units.items())) or "nothing"


def _plain(value: Any) -> str:
    """Bring a text into one form: case and blanks make no other address."""
    return "" if value is None else " ".join(str(value).split()).casefold()
