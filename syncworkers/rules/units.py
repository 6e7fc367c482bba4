"""What a warehouse takes from its shelves for what a store sold: kits taken apart, units exact."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from syncworkers.policy.units import EACH, Component, UnitsPolicy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

FRACTION = "units.fraction"
UNMAPPED = "units.unmapped"
KIT_UNMAPPED = "kit.unmapped"
ITEM_UNMAPPED = "warehouse.item_unmapped"
PLACES = 6
"""Decimal places that a divided unit may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Goods to take: the SKU as the warehouse keeps it, and how many by its own `unit`.

    `kit` is the SKU that was sold, where it is a kit; empty: the goods were sold as they are.
    """

    sku: str
    quantity: Decimal
    unit: str
    kit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Why something cannot be taken: a `field` of the order line, what the warehouse does."""

    code: str
    field: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """What one warehouse keeps, by its own ids, and how it was counted on the day of an order."""

    name: str
    items: Mapping[str, str]
    units: UnitsPolicy
    day: dt.date

    def pick(self, sku: str, quantity: int) -> tuple[list[Pick], list[Gap]]:
        """Return what to take for so many sold units, and what is missing to say so.

        A kit that the warehouse keeps put together is taken as it is.
        """
        if sku in self.items or not self.units.is_kit(sku):
            sold = Component(sku=sku, quantity=Fraction(1), unit=self.units.sold_by(sku))
            return self._take([sold], quantity, kit="")
        kit = self.units.kit(sku, self.day)
        if kit is None:
            what = (
                f"cannot put kit {sku!r} together: nothing says what it was made of on {self.day};"
                f" add [[kits]] with sku = {sku!r} and an earlier since to config/units.toml"
            )
            return [], [Gap(code=KIT_UNMAPPED, field="sku", what=what)]
        return self._take(kit.components, quantity, kit=sku)

    def _take(
        self, parts: Sequence[Component], quantity: int, *, kit: str
    ) -> tuple[list[Pick], list[Gap]]:
        picks: list[Pick] = []
        gaps: list[Gap] = []
        for part in parts:
            if part.sku not in self.items:
                gaps.append(self._unknown(part.sku, kit))
            found = self._counted(part, quantity, kit)
            if isinstance(found, Gap):
                gaps.append(found)
            else:
                picks.append(found)
        return picks, gaps

    def _unknown(self, sku: str, kit: str) -> Gap:
        place = f"add {sku!r} to [warehouses.{self.name}.items] of config/fulfilment.toml"
        if kit:
            what = f"does not know SKU {sku!r}, which kit {kit!r} is made of; {place}"
            return Gap(code=KIT_UNMAPPED, field="sku", what=what)
        what = f"does not know SKU {sku!r}; {place}"
        return Gap(code=ITEM_UNMAPPED, field="sku", what=what)

    def _counted(self, part: Component, quantity: int, kit: str) -> Pick | Gap:
        """Count goods as the warehouse does, exactly."""
        unit = self.units.kept_by(self.name, part.sku)
        factor = self.units.factor(part.sku, self.name, part.unit, unit, self.day)
        if factor is None:
            what = (
                f"keeps SKU {part.sku!r} by {unit}, and nothing says how many {unit} one "
                f"{part.unit} was on {self.day}; add [[conversions]] with sku = {part.sku!r}, "
                f"from = {part.unit!r} and to = {unit!r} to config/units.toml"
            )
            return Gap(code=UNMAPPED, field="sku", what=what)
        wanted = quantity * part.quantity
        places = PLACES if unit in self.units.divisible else 0
        counted = exact(wanted * factor, places=places)
        if counted is None:
            whole = f"no whole number of {unit}" if not places else f"not to be written in {unit}"
            what = (
                f"keeps SKU {part.sku!r} by {unit}: {wanted} {part.unit} are {wanted * factor}, "
                f"{whole}; sell it by as many as fill one, or keep it by a smaller unit"
            )
            return Gap(code=FRACTION, field="quantity", what=what)
        return Pick(sku=part.sku, quantity=counted, unit=unit, kit=kit)


def exact(number: Fraction, *, places: int) -> Decimal | None:
    """Write a number with so many decimal places at most; None: it would have to be rounded."""
    scaled = number * 10**places
    if scaled.denominator != 1:
        return None
    written = Decimal(scaled.numerator).scaleb(-places)
    return written.quantize(Decimal(1)) if number.denominator == 1 else written.normalize()


def symbol(units: UnitsPolicy, erp: str, sku: str) -> str | None:
    """Return what the ERP calls the unit that a SKU is sold by.

    Empty for what is sold by the piece, which the ERP's own item says; None where it has no name.
    """
    unit = units.sold_by(sku)
    known = units.symbols.get(erp, {})
    return known.get(unit, "" if unit == EACH else None)
