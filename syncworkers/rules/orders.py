"""What an accepted snapshot of an order asks of the ERP and of its warehouses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.canonical.bookings import AddressChange, Cancellation
from syncworkers.canonical.customers import Account
from syncworkers.canonical.kinds import Kind
from syncworkers.canonical.parts import PartAddressChange, PartCancellation
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.booking import CREATE, LINK
from syncworkers.policy.fulfilment import AFTER_BOOKING
from syncworkers.rules import booking, changes, effects, expectations, release
from syncworkers.rules.effects import Effect, EffectKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.canonical.bookings import Booking
    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.canonical.parts import Part
    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy

FROZEN = ("lines", "total", "currency", "shipping_method")
"""What must not change once the ERP has the order: there is no silent update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What people decided about one store's orders."""

    booking: BookingPolicy
    store: StorePolicy
    warehouses: Mapping[str, WarehousePolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPart:
    """A part that its warehouse is to ship, and was not told to leave."""

    number: int
    warehouse: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What we know of an order when a snapshot of it arrives.

    `booked` says that its create is owed to the ERP or made there; `account` is the customer's own
    in the ERP, `account_owed` that it is being made; `version` is the one the snapshot will be.
    """

    before: SalesOrder | None
    booked: bool
    account: str | None
    account_owed: bool
    version: int
    parts: Sequence[KnownPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """A part to enter, for which warehouse, and what it waits for."""

    number: int
    warehouse: str
    gate: str
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Something that must follow: its name, at which of the order's entities, and who must act."""

    name: str
    partner: str
    kind: Kind = Kind.ORDER
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows from a snapshot; `reason` says why nothing does, if so."""

    erp: str
    erp_number: str | None
    effects: tuple[Effect, ...] = ()
    parts: tuple[PlannedPart, ...] = ()
    expectations: tuple[Expected, ...] = ()
    reason: str | None = None
    waiting_for: str | None = None


def plan(policies: Policies, known: Known, order: SalesOrder) -> Plan:
    """Decide what an accepted snapshot asks for.

    Raises `RejectedError` with every violation at once.
    """
    if not known.booked:
        return _first(policies, known, order)
    if known.before is None:
        message = "an order that is booked was accepted before"
        raise ValueError(message)
    if order.cancelled_at is not None:
        return _cancel(policies.booking, known, known.before, order)
    return _change(policies.booking, known, known.before, order)


def _first(policies: Policies, known: Known, order: SalesOrder) -> Plan:
    policy = policies.booking
    if order.cancelled_at is not None:
        return _nothing(policy, "cancelled before it was booked")
    if order.test and not policy.accept_test_orders:
        return _nothing(policy, "a test order, which is never booked")
    without = order.customer_id is not None and known.account is None
    if without and policy.customers == LINK:
        key = f"customer:{policy.store}:{order.customer_id}"
        return Plan(erp=policy.erp, erp_number=None, waiting_for=key)
    account = _account(policy, order) if without and policy.customers == CREATE else None
    customer = known.account or (account.number if account else policy.one_time_customer)
    booked, part = _resolve(policies, order, customer)
    create = Effect(
        key=_order_key(policy, effects.ORDER_CREATE, "create"),
        body=booked,
        after=(account_key(policy),) if account else (),
    )
    parts = () if part is None else (_planned(policies, order, part),)
    return Plan(
        erp=policy.erp,
        erp_number=booked.number,
        effects=(
            *_account_effect(policy, account, owed=known.account_owed),
            create,
            *(_release(one, create.key) for one in parts),
        ),
        parts=parts,
        expectations=(
            Expected(name=expectations.BOOKED, partner=policy.erp),
            *(
                Expected(
                    name=expectations.RELEASED,
                    partner=one.warehouse,
                    kind=Kind.PART,
                    place=one.number,
                )
                for one in parts
            ),
        ),
    )


def _resolve(
    policies: Policies, order: SalesOrder, customer: str | None
) -> tuple[Booking, Part | None]:
    """Look up everything that ERP and warehouse need, so that a person sees all gaps at once."""
    violations: list[Violation] = []
    booked = part = None
    try:
        booked = booking.book(policies.booking, order, customer)
    except RejectedError as error:
        violations += error.violations
    try:
        store, warehouse = policies.store, policies.warehouses[policies.store.warehouse]
        part = release.part(policies.booking.store, store, warehouse, order)
    except RejectedError as error:
        violations += [one for one in error.violations if one not in violations]
    if violations or booked is None:
        raise RejectedError("cannot be booked", violations=violations)
    return booked, part


def _account(policy: BookingPolicy, order: SalesOrder) -> Account:
    """Return the account to make for a customer who has none."""
    first, _, last = order.customer_name.rpartition(" ")
    return Account(
        company=policy.company,
        number=f"{policy.customer_prefix}{order.customer_id}",
        first_name=first,
        last_name=last,
        name=order.customer_name,
        group=policy.customer_group,
        currency=order.currency,
        language=policy.language,
    )


def account_key(policy: BookingPolicy) -> EffectKey:
    """Name the effect that makes a customer's account in the store's company."""
    return EffectKey(
        partner=policy.erp,
        operation=effects.CUSTOMER_CREATE,
        cause=policy.company,
        kind=Kind.CUSTOMER,
    )


def _account_effect(
    policy: BookingPolicy, account: Account | None, *, owed: bool
) -> Iterator[Effect]:
    if account is not None and not owed:
        yield Effect(key=account_key(policy), body=account)


def _order_key(policy: BookingPolicy, operation: str, cause: str) -> EffectKey:
    return EffectKey(partner=policy.erp, operation=operation, cause=cause)


def _part_key(warehouse: str, number: int, operation: str, cause: str) -> EffectKey:
    return EffectKey(
        partner=warehouse, operation=operation, cause=cause, kind=Kind.PART, place=number
    )


def _planned(policies: Policies, order: SalesOrder, part: Part) -> PlannedPart:
    gate = release.gate(policies.store, order)
    return PlannedPart(number=1, warehouse=policies.store.warehouse, gate=gate, part=part)


def _release(planned: PlannedPart, booked: EffectKey) -> Effect:
    """Hand a part to its warehouse, behind its gate."""
    return Effect(
        key=_part_key(planned.warehouse, planned.number, effects.PART_CREATE, "create"),
        body=planned.part,
        after=(booked,) if planned.gate == AFTER_BOOKING else (),
    )


def _nothing(policy: BookingPolicy, reason: str) -> Plan:
    return Plan(erp=policy.erp, erp_number=None, reason=reason)


def _cancel(policy: BookingPolicy, known: Known, before: SalesOrder, after: SalesOrder) -> Plan:
    """Call it off: at the warehouses first, whose answer decides; the ERP follows."""
    number = booking.number(policy, after)
    if before.cancelled_at is not None:
        return Plan(erp=policy.erp, erp_number=number, reason="it was cancelled before")
    reason = "cancelled by the store"
    at_warehouses = [
        Effect(
            key=_part_key(part.warehouse, part.number, effects.PART_CANCEL, "cancel"),
            body=PartCancellation(reference=part.reference, reason=reason),
        )
        for part in known.parts
    ]
    at_erp = Effect(
        key=_order_key(policy, effects.ORDER_CANCEL, "cancel"),
        body=Cancellation(
            company=policy.company,
            number=number,
            reference=booking.reference(policy, after),
            reason=reason,
        ),
        after=tuple(effect.key for effect in at_warehouses),
    )
    return Plan(erp=policy.erp, erp_number=number, effects=(*at_warehouses, at_erp))


def _change(policy: BookingPolicy, known: Known, before: SalesOrder, after: SalesOrder) -> Plan:
    changed = changes.diff(before, after)
    violations = [
        Violation(
            path=path,
            code="order.changed_after_booking",
            message=f"was {old!r}, is {new!r}; the ERP has the order already: change it there by "
            "hand, or cancel it in the store and have it placed again",
        )
        for path, (old, new) in changed.items()
        if path.startswith(FROZEN)
    ]
    if violations:
        raise RejectedError("changed after it was booked", violations=violations)
    number = booking.number(policy, after)
    address = after.shipping_address
    if before.shipping_address == address or address is None:
        reason = "no change that the ERP keeps"
        return Plan(erp=policy.erp, erp_number=number, reason=reason)
    address = booking.checked_address(address)
    cause = f"v{known.version}"
    at_erp = Effect(
        key=_order_key(policy, effects.ORDER_READDRESS, cause),
        body=AddressChange(
            company=policy.company,
            number=number,
            reference=booking.reference(policy, after),
            address=address,
        ),
    )
    at_warehouses = [
        Effect(
            key=_part_key(part.warehouse, part.number, effects.PART_READDRESS, cause),
            body=PartAddressChange(reference=part.reference, email=after.email, address=address),
        )
        for part in known.parts
    ]
    return Plan(erp=policy.erp, erp_number=number, effects=(at_erp, *at_warehouses))
