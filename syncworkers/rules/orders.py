"""What an accepted snapshot of an order asks of the ERP and of its warehouses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.canonical.customers import Account
from syncworkers.canonical.kinds import Kind
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.booking import CREATE, LINK
from syncworkers.policy.fulfilment import AFTER_BOOKING
from syncworkers.rules import (
    booking,
    calendars,
    effects,
    expectations,
    order_changes,
    release,
    routing,
)
from syncworkers.rules.effects import Effect, EffectKey
from syncworkers.rules.plans import (
    Expected,
    Known,
    KnownAccount,
    Plan,
    PlannedPart,
    Policies,
    order_key,
    part_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.canonical.bookings import Booking
    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.rules.routing import Route, Routed


def plan(policies: Policies, known: Known, order: SalesOrder) -> Plan:
    """Decide what an accepted snapshot asks for.

    Raises `RejectedError` with every violation at once.
    """
    if not known.booked:
        return _first(policies, known, order)
    if known.before is None:
        message = "an order that is booked was accepted before"
        raise ValueError(message)
    policy = _kept(policies, known)
    if order.cancelled_at is not None:
        return order_changes.cancel(policy, known, known.before, order)
    return order_changes.change(policy, known, known.before, order)


def _kept(policies: Policies, known: Known) -> BookingPolicy:
    """Return how the order was booked: what was decided once stays, whatever the tables say now."""
    policy = policies.booking.of(known.company)
    if policy is None:
        violation = _no_company(policies, known.company or "")
        raise RejectedError("its company is gone", violations=[violation])
    gone = [part.warehouse for part in known.parts if part.warehouse not in policies.warehouses]
    if gone:
        message = (
            f"a part of it is with {' and '.join(gone)}, of which the configuration knows nothing "
            "any more: keep a warehouse there until its orders are done"
        )
        violation = Violation(path="parts", code="route.forgotten", message=message)
        raise RejectedError("its warehouse is gone", violations=[violation])
    return policy


def _no_company(policies: Policies, company: str) -> Violation:
    message = (
        f"{policies.booking.store} has no tables for company {company}: add "
        f"[{policies.booking.store}.companies.{company}] to config/booking.toml"
    )
    return Violation(path="company", code="company.unmapped", message=message)


def _first(policies: Policies, known: Known, order: SalesOrder) -> Plan:
    own = policies.booking
    if order.cancelled_at is not None:
        return _nothing(own, "cancelled before it was booked")
    if order.test and not own.accept_test_orders:
        return _nothing(own, "a test order, which is never booked")
    if order.on_hold:
        return _nothing(own, f"the store holds it back ({order.on_hold}); booked once it lets go")
    route = _route(policies, order)
    policy = own.of(route.company)
    if policy is None:
        missing = _no_company(policies, route.company)
        raise RejectedError("cannot be booked", violations=[missing])
    mine = known.accounts.get(policy.company, KnownAccount())
    without = order.customer_id is not None and mine.number is None
    if without and policy.customers == LINK:
        key = f"customer:{policy.store}:{order.customer_id}"
        return Plan(erp=policy.erp, erp_number=None, waiting_for=key)
    account = _account(policy, order) if without and policy.customers == CREATE else None
    customer = mine.number or (account.number if account else policy.one_time_customer)
    booked, parts = _resolve(replace(policies, booking=policy), order, customer, route)
    create = Effect(
        key=order_key(policy, effects.ORDER_CREATE, "create"),
        body=booked,
        after=(account_key(policy),) if account else (),
    )
    return Plan(
        erp=policy.erp,
        erp_number=booked.number,
        company=policy.company,
        effects=(
            *_account_effect(policy, account, owed=mine.owed),
            create,
            *(_release(one, create.key) for one in parts),
        ),
        parts=parts,
        expectations=tuple(_expected(policy, parts)),
    )


def _route(policies: Policies, order: SalesOrder) -> Route:
    """Route an order; where that fails, say all the same what its booking lacks."""
    sale = routing.Sale(
        store=policies.booking.store,
        brand=policies.brand,
        policy=policies.store,
        booking=policies.booking,
        nodes=policies.warehouses,
        routing=policies.routing,
        stock=policies.stock,
        units=policies.units,
    )
    try:
        return routing.route(sale, order)
    except RejectedError as error:
        gaps = booking.gaps(policies.booking, order, policies.units)
        raise RejectedError("cannot be booked", violations=[*gaps, *error.violations]) from error


def _resolve(
    policies: Policies, order: SalesOrder, customer: str | None, route: Route
) -> tuple[Booking, tuple[PlannedPart, ...]]:
    """Look up everything that ERP and warehouses need, so that a person sees all gaps at once."""
    violations: list[Violation] = []
    booked: Booking | None = None
    parts: list[PlannedPart] = []
    try:
        ships_from = _ships_from(policies, route)
        booked = booking.book(
            policies.booking, order, customer, ships_from=ships_from, units=policies.units
        )
    except RejectedError as error:
        violations += error.violations
    for number, routed in enumerate(route.parts, start=1):
        try:
            parts.append(_planned(policies, order, routed, number))
        except RejectedError as error:
            violations += [one for one in error.violations if one not in violations]
    if violations or booked is None:
        raise RejectedError("cannot be booked", violations=violations)
    return booked, tuple(parts)


def _planned(policies: Policies, order: SalesOrder, routed: Routed, number: int) -> PlannedPart:
    tables, calendar = policies.warehouses[routed.node], policies.calendars.get(routed.node)
    schedule = None
    if calendar is not None:
        method = order.shipping_method
        schedule = calendars.schedule(calendar, routed.node, method, order.placed_at)
    return PlannedPart(
        number=number,
        warehouse=routed.node,
        gate=release.gate(policies.store, order),
        part=release.part(
            policies.booking.store, routed, tables, order, number=number, units=policies.units
        ),
        route=routed.reason,
        schedule=schedule,
    )


def _ships_from(policies: Policies, route: Route) -> dict[int, str]:
    """Return what the ERP calls the place that each line ships from, where the node says it."""
    return {
        place: name
        for routed in route.parts
        if (name := policies.warehouses[routed.node].erp_warehouse) is not None
        for place in routed.places
    }


def _expected(policy: BookingPolicy, parts: Sequence[PlannedPart]) -> Iterator[Expected]:
    yield Expected(name=expectations.BOOKED, partner=policy.erp)
    for one in parts:
        yield Expected(
            name=expectations.RELEASED,
            partner=one.warehouse,
            kind=Kind.PART,
            place=one.number,
            since=one.schedule.release_at if one.schedule else None,
        )


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
    """Name the effect that makes a customer's account in a company."""
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


def _release(planned: PlannedPart, booked: EffectKey) -> Effect:
    """Hand a part to its warehouse, behind its gate, and not before it opens."""
    schedule = planned.schedule
    waits = schedule is not None and schedule.release_at > planned.part.placed_at
    return Effect(
        key=part_key(planned.warehouse, planned.number, effects.PART_CREATE, "create"),
        body=planned.part,
        after=(booked,) if planned.gate == AFTER_BOOKING else (),
        not_before=schedule.release_at if schedule and waits else None,
    )


def _nothing(policy: BookingPolicy, reason: str) -> Plan:
    return Plan(erp=policy.erp, erp_number=None, reason=reason)
