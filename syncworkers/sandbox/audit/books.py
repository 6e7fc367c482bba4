"""What the books say of one order, and what can be wrong with it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncworkers.policy.units import Component, UnitsPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import WarehousePolicy

Units = Counter[str]
"""Units by SKU, those of a sale or those of a warehouse."""

MADE_UP = frozenset({"LabeledCreated", "Completed"})
"""What a warehouse says of a parcel that it cannot take back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that does not agree: what it should be, and what stands at `partner`."""

    order: str
    field: str
    partner: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Something that is wrong: `kind` is lost, duplicated, unexpected or mismatched."""

    kind: str
    order: str
    what: str = ""
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBooks:
    """What the books say of one order: the store's, the ERP's and the warehouses'.

    `booking` is the store's own, with those of other companies; `nodes` are all warehouses by name;
    each of `released` says at which `warehouse` it is.
    """

    order: Mapping[str, Any]
    booking: BookingPolicy
    nodes: Mapping[str, WarehousePolicy]
    booked: Sequence[Mapping[str, Any]]
    released: Sequence[Mapping[str, Any]]
    units: UnitsPolicy = field(default_factory=UnitsPolicy)

    @property
    def name(self) -> str:
        """Return which store sold it, and what people call it there, without the sign."""
        return f"{self.booking.store} {str(self.order['name']).removeprefix('#')}"

    @property
    def company(self) -> BookingPolicy:
        """Return how it is booked in the company whose stock ships it."""
        names = [self.nodes[part["warehouse"]].company for part in self.released]
        # What was called off before any warehouse had it is only in the ERP.
        names += [document["company"].lower() for document in self.booked]
        return self.booking.of(names[0] if names else None) or self.booking

    @property
    def cancelled(self) -> bool:
        """Say whether the shop called it off."""
        return bool(self.order["cancelled"])

    @property
    def goods(self) -> list[Mapping[str, Any]]:
        """Return the lines that a warehouse ships."""
        return [
            line
            for line in self.order["lines"]
            if not (line.get("gift_card") or line.get("intangible"))
        ]

    def node_of(self, line: Mapping[str, Any]) -> str | None:
        """Return which warehouse has a line to ship; None: none has."""
        for part in self.released:
            there = {one["sku"] for one in part["products"]}
            if there & self._unit_of(line, part["warehouse"]).keys():
                return str(part["warehouse"])
        return None

    def packing(self, lines: Iterable[Mapping[str, Any]]) -> Units:
        """Say what a warehouse takes from its shelves for lines, as it counts."""
        found: Counter[str] = Counter()
        for line in lines:
            for sku, share in self._unit_of(line, self.node_of(line)).items():
                count = int(float(line["quantity"])) * share
                found[sku] += int(count) if count.denominator == 1 else count  # type: ignore[assignment]
        return found

    @property
    def converts(self) -> bool:
        """Say whether anything of it is packed otherwise than it was sold."""
        return self.packing(self.goods) != units_by_sku(self.goods)

    def _unit_of(self, line: Mapping[str, Any], node: str | None) -> dict[str, Fraction]:
        """Say what one sold unit of a line is on the shelves of a warehouse."""
        units, sku = self.units, line["sku"]
        day = dt.datetime.fromtimestamp(float(self.order["placed_at"]), dt.UTC).date()
        kit = None if node is None or sku in self.nodes[node].items else units.kit(sku, day)
        sold = Component(sku=sku, quantity=Fraction(1), unit=units.sold_by(sku))
        found: dict[str, Fraction] = {}
        for one in kit.components if kit else (sold,):
            kept = units.kept_by(node or "", one.sku)
            factor = units.factor(one.sku, node or "", one.unit, kept, day)
            found[one.sku] = one.quantity * (factor or 0)
        return found

    @property
    def shipped(self) -> list[Mapping[str, Any]]:
        """Return the parcels that left the warehouse."""
        return [one for part in self.released for one in part["shipments"] if one["shipped"]]

    @property
    def is_for_people(self) -> bool:
        """Say whether somebody must look: a change of mind came too late for a partner."""
        shipped_all_the_same = self.cancelled and bool(self.shipped)
        late = any(self.is_late_at_erp(document) for document in self.booked)
        return shipped_all_the_same or late or self.is_misdirected

    @property
    def is_misdirected(self) -> bool:
        """Say whether a parcel was made up before its new address came."""
        return any(
            one["status"] in MADE_UP and destination(one) != self.destination
            for part in self.released
            for one in part["shipments"]
        )

    def is_late_at_erp(self, document: Mapping[str, Any]) -> bool:
        """Say whether the ERP had a packing slip before the new address came."""
        return bool(document["slips"]) and booked_address(document) != self.booked_address

    @property
    def destination(self) -> list[str]:
        """Return where the shop sends it, as a warehouse writes it."""
        return self._address("name", "address1", "city", "zip", "country_code")

    @property
    def booked_address(self) -> list[str]:
        """Return where the shop sends it, as the ERP writes it."""
        return self._address("city", "zip", "province_code")

    def _address(self, *parts: str) -> list[str]:
        address = self.order.get("shipping_address") or self.order.get("billing_address") or {}
        return [address.get(part) or "" for part in parts]

    def lost(self, what: str) -> Wrong:
        """Say that something is missing."""
        return Wrong(kind="lost", order=self.name, what=f"{self.name}: {what}")

    def duplicated(self, what: str) -> Wrong:
        """Say that something stands there twice."""
        return Wrong(kind="duplicated", order=self.name, what=f"{self.name}: {what}")

    def unexpected(self, what: str) -> Wrong:
        """Say that something stands there without a reason."""
        return Wrong(kind="unexpected", order=self.name, what=f"{self.name}: {what}")

    def differs(self, partner: str, field: str, expected: Any, found: Any) -> Wrong:
        """Say that something stands there otherwise than it should."""
        difference = Difference(
            order=self.name,
            field=field,
            partner=partner,
            expected=str(expected),
            found=str(found),
        )
        return Wrong(kind="mismatched", order=self.name, difference=difference)


def units_by_sku(lines: Iterable[Mapping[str, Any]]) -> Units:
    """Add up what lines have of each SKU; several lines may name the same."""
    units: Units = Counter()
    for line in lines:
        units[line["sku"]] += int(float(line["quantity"]))
    return units


def destination(shipment: Mapping[str, Any]) -> list[str]:
    """Return where a warehouse sends a shipment."""
    names = ("name", "address1", "city", "zip_code", "country")
    return [shipment["recipient"].get(name) or "" for name in names]


def booked_address(document: Mapping[str, Any]) -> list[str]:
    """Return where the ERP has a shipment sent."""
    return [document["address"].get(name) or "" for name in ("city", "zip", "state")]
