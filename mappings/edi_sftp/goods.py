"""Which goods a segment is about, by which unit and where, in the words of a partner's profile.

Source: X12 004010, pairs of qualifier and id (elements 235 and 234), element 355 and N1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

UPC = "UP"
"""The qualifier that an id without one stands for, where a segment has an element for a UPC."""


def sku(read: Elements, one: Segment, pairs: Sequence[int], upc: int = 0) -> str:
    """Return our SKU, "" where none is told: the first id by the profile's order of qualifiers.

    `pairs` are the elements that may hold a qualifier, `upc` is one that holds a UPC without it.
    """
    return named(read, one, pairs, upc)[0]


def named(read: Elements, one: Segment, pairs: Sequence[int], upc: int = 0) -> tuple[str, int]:
    """Return our SKU, as `sku`, and the element that holds it."""
    at = _found(read, one, pairs, upc)
    if not at:
        expected = ", ".join(read.profile.sku_qualifiers)
        message = f"is missing, expected an id of the goods by {expected}: ask the warehouse, or"
        message += " set sku_qualifiers under [connection.profile] of its partner file"
        read.wrong(one, pairs[0] + 1, "field.missing", message)
    told = read.text(one, at)
    if not told.isprintable():
        message = f"is {told!r}, with signs that nobody can see: it would be no SKU of ours"
        read.wrong(one, at, "payload.invalid", message)
    return told, at


def _found(read: Elements, one: Segment, pairs: Sequence[int], upc: int) -> int:
    for wanted in read.profile.sku_qualifiers:
        for at in pairs:
            if one.get(at).strip() == wanted and one.get(at + 1).strip():
                return at + 1
        if wanted == UPC and one.get(upc).strip():
            return upc
    return 0


def unit(read: Elements, one: Segment, element: int) -> str:
    """Return our word for a unit; a count of something else would be worse than none."""
    code = read.text(one, element)
    found = read.profile.units.get(code, "")
    if not found:
        known = ", ".join(read.profile.units)
        message = f"is {code!r}, expected a unit as {known}: ask the warehouse, or add it under"
        message += " [connection.profile.units] of its partner file"
        read.wrong(one, element, "units.unmapped", message)
    return found


def warehouse(read: Elements) -> str:
    """Return the code of the warehouse that speaks, else the one it is known by."""
    told = (read.text(one, 4) for one in read.all("N1") if read.text(one, 1) == "WH")
    return next(filter(None, told), read.profile.warehouse_code)
