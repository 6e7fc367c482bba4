"""What the books say of one order, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import WarehousePolicy


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
class Case:
    """One order of the shop, with what stands of it at the ERP and at the warehouse."""

    order: Mapping[str, Any]
    booking: BookingPolicy
    warehouse: str
    tables: WarehousePolicy
    booked: Sequence[Mapping[str, Any]]
    released: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Return what people call the order, without the sign."""
        return str(self.order["name"]).removeprefix("#")

    @property
    def cancelled(self) -> bool:
        """Say whether the shop called it off."""
        return bool(self.order["cancelled"])

    @property
    def goods(self) -> list[Mapping[str, Any]]:
        """Return the lines that a warehouse ships."""
        return [line for line in self.order["lines"] if not line.get("gift_card")]

    @property
    def shipped(self) -> list[Mapping[str, Any]]:
        """Return the parcels that left the warehouse."""
        return [one for part in self.released for one in part["shipments"] if one["shipped"]]

    @property
    def is_for_people(self) -> bool:
        """Say whether somebody must look: a change of mind came too late for a partner."""
        late = self.cancelled and bool(self.shipped)
        return late or self.is_misdirected or any(one["refused"] for one in self.booked)

    @property
    def is_misdirected(self) -> bool:
        """Say whether a parcel was made up before its new address came."""
        return any(
            self.destination != destination(part)
            and any(one["status"] in MADE_UP for one in part["shipments"])
            for part in self.released
        )

    @property
    def destination(self) -> list[str]:
        """Return city, postal code and country of where the shop sends it."""
        address = self.order.get("shipping_address") or self.order.get("billing_address") or {}
        return [address.get(name) or "" for name in ("city", "zip", "country_code")]

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


def destination(part: Mapping[str, Any]) -> list[str]:
    """Return city, postal code and country of where a warehouse sends a part."""
    return [part["recipient"].get(name) or "" for name in ("city", "zip_code", "country")]
