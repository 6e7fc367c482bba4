"""What deciding about an order takes, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.policy.routing import RoutingPolicy
from syncworkers.policy.units import UnitsPolicy
from syncworkers.rules.effects import EffectKey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.canonical.parts import Part, Schedule
    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.calendars import Calendar
    from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy
    from syncworkers.rules.effects import Effect
    from syncworkers.rules.routing import Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What people decided about one store's orders, and what each node has to sell."""

    booking: BookingPolicy
    """Of the store's own company, with those of the others."""
    store: StorePolicy
    warehouses: Mapping[str, WarehousePolicy]
    routing: RoutingPolicy = field(default_factory=RoutingPolicy)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    units: UnitsPolicy = field(default_factory=UnitsPolicy)
    brand: str = ""
    stock: Stock = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPart:
    """A part that its warehouse is to ship, and was not told to leave."""

    number: int
    warehouse: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """A customer's own account in one company of the ERP; `owed` says that it is being made."""

    number: str | None = None
    owed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What we know of an order when a snapshot of it arrives.

    `booked` says that its create is owed to the ERP or made there, `company` in which one (None:
    the store's own); `accounts` are the customer's, by company; `version` is the one the snapshot
    will be.
    """

    before: SalesOrder | None
    booked: bool
    version: int
    parts: Sequence[KnownPart]
    company: str | None = None
    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """A part to enter, for which warehouse, and what it waits for."""

    number: int
    warehouse: str
    gate: str
    part: Part
    route: str
    """Why that warehouse."""
    schedule: Schedule | None
    """None where its warehouse has no calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Something that must follow: its name, at which of the order's entities, and who must act."""

    name: str
    partner: str
    kind: Kind = Kind.ORDER
    place: int = 0
    since: dt.datetime | None = None
    """From when on the time counts; None: from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows from a snapshot; `reason` says why nothing does, if so."""

    erp: str
    erp_number: str | None
    company: str | None = None
    """In which it is booked; None: in none yet."""
    effects: tuple[Effect, ...] = ()
    parts: tuple[PlannedPart, ...] = ()
    expectations: tuple[Expected, ...] = ()
    reason: str | None = None
    waiting_for: str | None = None


def order_key(policy: BookingPolicy, operation: str, cause: str) -> EffectKey:
    """Name an effect on the order in its ERP."""
    return EffectKey(partner=policy.erp, operation=operation, cause=cause)


def part_key(warehouse: str, number: int, operation: str, cause: str) -> EffectKey:
    """Name an effect on a part at its warehouse."""
    return EffectKey(
        partner=warehouse, operation=operation, cause=cause, kind=Kind.PART, place=number
    )
