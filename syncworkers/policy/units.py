"""By what goods are sold, kept and booked, and what kits are made of: `config/units.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

EACH = "each"
"""What a SKU is counted by where no table says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One `unit` is `factor` times `into`, and the other way round, from a day on.

    Of every SKU, and at every warehouse, where it names none.
    """

    unit: str
    into: str
    factor: Fraction
    since: dt.date
    sku: str | None = None
    partner: str | None = None

    @property
    def pair(self) -> frozenset[str]:
        """Return the two units, whichever way round."""
        return frozenset({self.unit, self.into})

    def applies(self, sku: str | None, partner: str | None, day: dt.date) -> bool:
        """Say whether it speaks of a SKU at a warehouse on a day."""
        return self.sku in {None, sku} and self.partner in {None, partner} and self.since <= day

    @property
    def rank(self) -> tuple[bool, bool, dt.date]:
        """Order those that apply: the SKU's own last, before it the warehouse's own, by day."""
        return self.sku is not None, self.partner is not None, self.since

    def ways(self) -> Iterator[tuple[str, str, Fraction]]:
        """Yield both directions."""
        yield self.unit, self.into, self.factor
        yield self.into, self.unit, 1 / self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What one kit has of a SKU."""

    sku: str
    quantity: Fraction
    unit: str = EACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a SKU is made of, from a day on."""

    sku: str
    since: dt.date
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsPolicy:
    """The whole of `config/units.toml`.

    `sold` is by the SKU that stores sell, `kept` by warehouse and SKU, `symbols` by ERP and unit.
    """

    divisible: frozenset[str] = frozenset()
    """Units that may be divided; all others come whole."""
    sold: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    symbols: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    conversions: tuple[Conversion, ...] = ()
    kits: tuple[Kit, ...] = ()

    def sold_by(self, sku: str) -> str:
        """Return the unit that stores sell a SKU by."""
        return self.sold.get(sku, EACH)

    def kept_by(self, warehouse: str, sku: str) -> str:
        """Return the unit that a warehouse counts a SKU by."""
        return self.kept.get(warehouse, {}).get(sku, EACH)

    def is_kit(self, sku: str) -> bool:
        """Say whether a SKU is a kit on any day."""
        return any(kit.sku == sku for kit in self.kits)

    def kit(self, sku: str, day: dt.date) -> Kit | None:
        """Return what a kit is made of on a day; None: nothing says so."""
        then = [kit for kit in self.kits if kit.sku == sku and kit.since <= day]
        return max(then, key=lambda kit: kit.since, default=None)

    def in_force(
        self, sku: str | None, partner: str | None, day: dt.date
    ) -> Mapping[frozenset[str], Conversion]:
        """Return the conversions that count for a SKU at a warehouse on a day, by pair of units."""
        ordered = sorted(self.conversions, key=lambda one: one.rank)
        return {one.pair: one for one in ordered if one.applies(sku, partner, day)}

    def factor(self, sku: str, partner: str, unit: str, into: str, day: dt.date) -> Fraction | None:
        """Return how many `into` one `unit` is; None: no way leads there.

        The way may lead over other units: a pallet is so many cases of so many pieces.
        """
        in_force = self.in_force(sku, partner, day)
        return reached(unit, in_force.values()).get(into)


def reached(unit: str, conversions: Iterable[Conversion]) -> dict[str, Fraction]:
    """Return every unit that can be reached from one, with how many of it that one is.

    By the fewest steps, so that it does not depend on the order of the table.
    """
    ways = sorted((way for one in conversions for way in one.ways()), key=lambda way: way[:2])
    found = {unit: Fraction(1)}
    fringe = [unit]
    while fringe:
        after: list[str] = []
        for here, there, factor in ways:
            if here in fringe and there not in found:
                found[there] = found[here] * factor
                after.append(there)
        fringe = after
    return found
