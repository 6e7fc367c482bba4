"""What an accepted snapshot of an order asks of the ERP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.canonical.bookings import AddressChange, Booking, Cancellation
from syncworkers.errors import RejectedError, Violation
from syncworkers.rules import booking, changes

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.policy.booking import BookingPolicy

CREATE = "order.create"
READDRESS = "order.readdress"
CANCEL = "order.cancel"
BOOKED = "erp_booked"
FROZEN = ("lines", "total", "currency", "shipping_method")
"""What must not change once the ERP has the order: there is no silent update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """One effect to owe; `cause` makes it unique for its order and operation."""

    operation: str
    cause: str
    body: Booking | AddressChange | Cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows from a snapshot; `reason` says why nothing does, if so."""

    erp: str
    erp_number: str | None
    deliveries: tuple[PlannedDelivery, ...] = ()
    expectations: tuple[str, ...] = ()
    cancel_expectations: bool = False
    reason: str | None = None
    waiting_for: str | None = None


def plan(  # noqa: PLR0913 - the decision has six inputs, all named
    policy: BookingPolicy,
    *,
    before: SalesOrder | None,
    after: SalesOrder,
    booked: bool,
    account: str | None,
    version: int,
) -> Plan:
    """Decide what an accepted snapshot asks for.

    `booked` says that the create is owed or made; `account` is the customer's own in the ERP.
    Raises `RejectedError` with every violation at once.
    """
    if not booked:
        return _first(policy, after, account)
    if before is None:
        message = "an order that is booked was accepted before"
        raise ValueError(message)
    if after.cancelled_at is not None:
        return _cancel(policy, before, after)
    return _change(policy, before, after, version)


def _first(policy: BookingPolicy, order: SalesOrder, account: str | None) -> Plan:
    if order.cancelled_at is not None:
        return _nothing(policy, "cancelled before it was booked")
    if order.test and not policy.accept_test_orders:
        return _nothing(policy, "a test order, which is never booked")
    customer = account or policy.one_time_customer
    if customer is None and order.customer_id is not None:
        key = f"customer:{policy.store}:{order.customer_id}"
        return Plan(erp=policy.erp, erp_number=None, waiting_for=key)
    booked = booking.book(policy, order, customer)
    return Plan(
        erp=policy.erp,
        erp_number=booked.number,
        deliveries=(PlannedDelivery(operation=CREATE, cause="create", body=booked),),
        expectations=(BOOKED,),
    )


def _nothing(policy: BookingPolicy, reason: str) -> Plan:
    return Plan(erp=policy.erp, erp_number=None, reason=reason)


def _cancel(policy: BookingPolicy, before: SalesOrder, after: SalesOrder) -> Plan:
    number = booking.number(policy, after)
    if before.cancelled_at is not None:
        return Plan(erp=policy.erp, erp_number=number, reason="it was cancelled before")
    body = Cancellation(
        company=policy.company,
        number=number,
        reference=booking.reference(policy, after),
        reason="cancelled by the store",
    )
    return Plan(
        erp=policy.erp,
        erp_number=number,
        deliveries=(PlannedDelivery(operation=CANCEL, cause="cancel", body=body),),
    )


def _change(policy: BookingPolicy, before: SalesOrder, after: SalesOrder, version: int) -> Plan:
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
    if before.shipping_address == after.shipping_address or after.shipping_address is None:
        reason = "no change that the ERP keeps"
        return Plan(erp=policy.erp, erp_number=number, reason=reason)
    body = AddressChange(
        company=policy.company,
        number=number,
        reference=booking.reference(policy, after),
        address=booking.checked_address(after.shipping_address),
    )
    planned = PlannedDelivery(operation=READDRESS, cause=f"v{version}", body=body)
    return Plan(erp=policy.erp, erp_number=number, deliveries=(planned,))
