"""Order parts as ShipBob's orders: raw fields; prices stay Decimal. Contract: Orders 2026-01.

The warehouse chooses its place itself (`location_id` is not sent) and may split an order.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from mappings.refusals import refuse
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.canonical.orders import Address
    from syncworkers.canonical.parts import Part, PartAddressChange, PartCancellation, PartLine

Fields = dict[str, Any]

LENGTHS: Mapping[str, int] = {
    "reference_id": 300,
    "order_number": 400,
    "recipient.name": 300,
    "recipient.phone_number": 50,
}
"""Where the contract limits a text; the others it leaves open."""
UNITS: Mapping[str, str] = {"each": "EA"}
"""Our unit = theirs. They also take CS and PL, but count pieces in whatever they report."""
QUANTITY_LIMIT = 2**31 - 1
_COUNTRY = re.compile(r"[A-Z]{2}")


def dump_part(part: Part) -> Fields:
    """Return the body of POST /order; raises `RejectedError`."""
    optional = {"order_number": part.order_number, "purchase_date": _time(part.placed_at)}
    body = {
        "reference_id": part.reference,
        **_given(optional),
        "type": "DTC",
        "shipping_method": part.shipping_method,
        "recipient": _recipient(part.address, part.email),
        "products": [_product(line) for line in part.lines],
    }
    refuse([*_wrong_part(part), *_wrong_address(part.address)], who="the warehouse")
    return body


def dump_address_change(change: PartAddressChange) -> Fields:
    """Return `reference`, and `address` as PUT /shipment/{id}:updateAddress takes it.

    Empty parts of an address are sent too, so that old values are replaced; without an e-mail
    address or a telephone number the old one is left as it is. Raises `RejectedError`.
    """
    address = change.address
    refuse(_wrong_address(address), who="the warehouse")
    fields = {
        "recipient_name": _name(address),
        "street_address1": address.street,
        "street_address2": address.street2,
        "company_name": address.company,
        "city": address.city,
        "state": address.region,
        "zip_code": address.postal_code,
        "country_code": address.country.upper(),
        **_given({"email": change.email, "phone_number": address.phone}),
    }
    return {"reference": change.reference, "address": fields}


def dump_cancellation(cancellation: PartCancellation) -> Fields:
    """Return `reference` and `reason`; ShipBob takes neither, they tell what is meant."""
    return {"reference": cancellation.reference, "reason": cancellation.reason}


def _recipient(address: Address, email: str) -> Fields:
    place = {
        "address1": address.street,
        "address2": address.street2,
        "company_name": address.company,
        "city": address.city,
        "state": address.region,
        "zip_code": address.postal_code,
        "country": address.country.upper(),
    }
    contact = {"email": email, "phone_number": address.phone}
    return {"name": _name(address), **_given(contact), "address": _given(place)}


def _name(address: Address) -> str:
    return address.name or address.company


def _product(line: PartLine) -> Fields:
    # A product is known there by our SKU, which is both its reference and its SKU.
    price = {} if line.unit_price is None else {"unit_price": line.unit_price}
    return {
        "reference_id": line.sku,
        "sku": line.sku,
        "name": line.title or line.sku,
        "external_line_id": line.number,
        "quantity": int(line.counted),
        "quantity_unit_of_measure_code": UNITS.get(line.unit, ""),
        **price,
    }


def _time(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _given(fields: Fields) -> Fields:
    """Leave out what is empty: ShipBob takes no empty e-mail address, and may take no other."""
    return {name: value for name, value in fields.items() if value != ""}


def _wrong_part(part: Part) -> Iterator[Violation]:
    texts = {
        "reference_id": part.reference,
        "shipping_method": part.shipping_method,
        "order_number": part.order_number,
    }
    yield from _missing(texts, ("reference_id", "shipping_method"))
    yield from _too_long(texts)
    if "," in part.reference:
        message = "has a comma, so the order could never be looked up; choose another"
        yield Violation(path="reference_id", code="reference.unfit", message=message)
    if not part.lines:
        yield Violation(path="products", code="field.missing", message="must be given")
    for position, line in enumerate(part.lines):
        path = f"products[{position}]"
        if not line.sku:
            yield Violation(path=f"{path}.sku", code="field.missing", message="must be given")
        if line.counted != int(line.counted) or not 1 <= line.counted <= QUANTITY_LIMIT:
            message = f"{line.counted} units cannot be shipped"
            yield Violation(path=f"{path}.quantity", code="quantity.invalid", message=message)
        if line.unit not in UNITS:
            message = (
                f"SKU {line.sku!r} is kept by {line.unit}, and this warehouse counts by "
                f"{' or '.join(UNITS)}: correct [kept] in config/units.toml"
            )
            unit = f"{path}.quantity_unit_of_measure_code"
            yield Violation(path=unit, code="units.unmapped", message=message)


def _wrong_address(address: Address) -> Iterator[Violation]:
    texts = {
        "recipient.name": _name(address),
        "recipient.address.address1": address.street,
        "recipient.address.city": address.city,
        "recipient.phone_number": address.phone,
    }
    yield from _missing(texts, tuple(texts)[:3])
    yield from _too_long(texts)
    if not _COUNTRY.fullmatch(address.country.upper()):
        message = (
            f"{address.country!r} is no country of ISO 3166-1; correct the order's delivery address"
        )
        yield Violation(path="recipient.address.country", code="country.unknown", message=message)


def _missing(texts: Mapping[str, str], names: tuple[str, ...]) -> Iterator[Violation]:
    for name in names:
        if not texts[name].strip():
            yield Violation(path=name, code="field.missing", message="must be given")


def _too_long(texts: Mapping[str, str]) -> Iterator[Violation]:
    for name, text in texts.items():
        limit = LENGTHS.get(name, len(text))
        if len(text) > limit:
            message = f"has {len(text)} characters, the warehouse takes {limit}; shorten it"
            yield Violation(path=name, code="text.too_long", message=message)
