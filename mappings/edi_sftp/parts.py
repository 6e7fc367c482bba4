"""Order parts as the warehouse shipping order 940, and what takes one back.

Source: X12 004010, 940. A cancellation is another 940 about the same reference, of W05-01 F; it is
answered by a 945, or not at all. Payment and mode in W66 are confirmed with each partner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.wording import STREET, STREETS, Wording, too_long
from mappings.refusals import refuse
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from syncworkers.canonical.orders import Address
    from syncworkers.canonical.parts import Part, PartAddressChange, PartCancellation, PartLine

Fields = dict[str, Any]

ORIGINAL, CANCEL = "N", "F"
"""W05-01."""
ASSIGNED_BY_BUYER = "92"
"""N1-03: the warehouse's code is one that we and they agreed on."""
PREPAID, PARCEL = "PP", "U"
"""W66-01 and W66-02."""
WHO = "the warehouse"
NAME, CITY, REGION, POSTAL_CODE, REFERENCE, ROUTING = 60, 30, 30, 15, 30, 35
"""Characters that fit."""
NUMBER = 15
"""Characters of a quantity."""
_COUNTRY = re.compile("[A-Z]{2}")
_CARRIER = re.compile("([A-Z]{2,4})/(.*)")
"""A shipping method that names the carrier by its SCAC, too."""


@dataclass(frozen=True, slots=True)
class _Dump:
    """Writes for one partner, by its profile and its delimiters."""

    profile: Profile = field(default_factory=Profile)
    wording: Wording = field(default_factory=Wording)

    def fit(self, connection: Mapping[str, Any]) -> Self:
        """Return the writer for a partner file; raises `ValueError` naming key and remedy."""
        return type(self)(profile=read_profile(connection), wording=Wording.of(connection))

    def _warehouse(self) -> list[list[str]]:
        """Return N1 of the warehouse, if the profile says how it is called."""
        name, code = self.wording.text(self.profile.warehouse_name), self.profile.warehouse_code
        if not name and not code:
            return []
        return [_segment("N1", "WH", name, ASSIGNED_BY_BUYER if code else "", code)]


class PartDump(_Dump):
    """Writes a part as a 940."""

    __slots__ = ()

    def __call__(self, part: Part) -> Fields:
        """Return the document, and when it was ordered.

        Raises `RejectedError` for what cannot be written.
        """
        refuse([*self._wrong_part(part), *self._wrong_address(part.address)], who=WHO)
        carrier, routing = _transport(part.shipping_method)
        total = sum((line.counted for line in part.lines), Decimal(0))
        segments = [
            _segment("W05", ORIGINAL, part.reference, part.order_number),
            *self._warehouse(),
            *self._recipient(part.address),
            *([_segment("N9", "CO", part.order_number)] if part.order_number else []),
            _segment("W66", PREPAID, PARCEL, "", "", routing, "", "", "", "", carrier),
            *(one for line in part.lines for one in self._line(line)),
            _segment("W76", _number(total)),
        ]
        return {**_document(segments), "placed_at": part.placed_at.isoformat()}

    def _recipient(self, address: Address) -> Iterator[list[str]]:
        text = self.wording.text
        name, company = text(address.name), text(address.company)
        yield _segment("N1", "ST", name or company)
        if name and company:
            yield _segment("N2", company)
        lines = self.wording.lines(address.street, address.street2)
        for at in range(0, len(lines), 2):
            yield _segment("N3", *lines[at : at + 2])
        region, postal_code = text(address.region), text(address.postal_code)
        yield _segment("N4", text(address.city), region, postal_code, address.country.upper())

    def _line(self, line: PartLine) -> Iterator[list[str]]:
        unit = _codes(self.profile)[line.unit]
        yield _segment("LX", str(line.number))
        qualifier = self.profile.sku_qualifiers[0]
        yield _segment("W01", _number(line.counted), unit, "", qualifier, line.item)
        yield _segment("N9", "LI", str(line.number))

    def _wrong_part(self, part: Part) -> Iterator[Violation]:
        yield from _given(
            self.wording.wrong_id("reference", part.reference),
            self.wording.wrong_id("shipping_method", part.shipping_method),
            too_long("shipping_method", _transport(part.shipping_method)[1], ROUTING),
        )
        if part.order_number:
            yield from _given(
                self.wording.wrong_id("order_number", part.order_number),
                too_long("order_number", part.order_number, REFERENCE),
            )
        if not part.lines:
            yield Violation(path="lines", code="field.missing", message="must be given")
        for at, line in enumerate(part.lines):
            yield from self._wrong_line(f"lines[{at}]", line)

    def _wrong_line(self, path: str, line: PartLine) -> Iterator[Violation]:
        yield from _given(self.wording.wrong_id(f"{path}.item", line.item))
        count = line.counted
        if not count.is_finite() or count <= 0 or len(_number(count)) > NUMBER:
            message = f"{count} {line.unit} cannot be shipped"
            yield Violation(path=f"{path}.counted", code="quantity.invalid", message=message)
        if line.unit not in _codes(self.profile):
            message = (
                f"SKU {line.sku!r} is kept by {line.unit}, for which this warehouse has no code:"
                " add it under [connection.profile.units] of its partner file, or correct [kept]"
                " in config/units.toml"
            )
            yield Violation(path=f"{path}.unit", code="units.unmapped", message=message)

    def _wrong_address(self, address: Address) -> Iterator[Violation]:
        text = self.wording.text
        lines = self.wording.lines(address.street, address.street2)
        needed = {
            "address.name": text(address.name) or text(address.company),
            "address.street": " ".join(lines),
            "address.city": text(address.city),
        }
        for path, value in needed.items():
            if not value:
                yield Violation(path=path, code="field.missing", message="must be given")
        yield from _given(
            too_long("address.name", text(address.name), NAME),
            too_long("address.company", text(address.company), NAME),
            too_long("address.city", text(address.city), CITY),
            too_long("address.region", text(address.region), REGION),
            too_long("address.postal_code", text(address.postal_code), POSTAL_CODE),
            *(too_long("address.street", line, STREET) for line in lines),
        )
        if len(lines) > STREETS:
            message = f"needs {len(lines)} lines of {STREET} characters, X12 takes {STREETS}"
            yield Violation(path="address.street", code="text.too_long", message=message)
        if not _COUNTRY.fullmatch(address.country.upper()):
            message = f"{address.country!r} is no country of ISO 3166-1; correct the order's"
            message += " delivery address"
            yield Violation(path="address.country", code="country.unknown", message=message)


class CancellationDump(_Dump):
    """Writes that a part must not be shipped any more; the reason is ours alone."""

    __slots__ = ()

    def __call__(self, cancellation: PartCancellation) -> Fields:
        """Return the document; raises `RejectedError` for what cannot be written."""
        refuse(_given(self.wording.wrong_id("reference", cancellation.reference)), who=WHO)
        return _document([_segment("W05", CANCEL, cancellation.reference), *self._warehouse()])


PART = PartDump()
CANCELLATION = CancellationDump()
"""By the profile of nobody in particular."""


def dump_address_change(change: PartAddressChange) -> Fields:
    """Refuse it: what a 940 of W05-01 R does to an order that is being packed, nobody promises."""
    message = (
        "this warehouse takes no changes by EDI: tell it the new address by hand, or cancel the"
        " part and have it shipped anew"
    )
    violation = Violation(path="address", code="warehouse.no_changes", message=message)
    raise RejectedError(f"{change.reference}: {message}", violations=[violation])


def _document(segments: list[list[str]]) -> Fields:
    return {"code": "940", "functional_id": "OW", "segments": segments}


def _segment(tag: str, *elements: str) -> list[str]:
    """Return a segment without the empty elements at its end, as it will be written."""
    given = list(elements)
    while given and not given[-1]:
        given.pop()
    return [tag, *given]


def _transport(method: str) -> tuple[str, str]:
    """Return SCAC and routing of a shipping method, `FDEG/GROUND` or `GROUND`."""
    found = _CARRIER.fullmatch(method)
    return (found[1], found[2]) if found else ("", method)


def _codes(profile: Profile) -> Mapping[str, str]:
    """Return the codes by our units; of several the first one."""
    return {ours: code for code, ours in reversed(list(profile.units.items()))}


def _number(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}" if quantity.is_finite() else str(quantity)


def _given(*violations: Violation | None) -> Iterator[Violation]:
    return (one for one in violations if one is not None)
