"""What a booked order asks for when its customer or its store changes its mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.bookings import AddressChange, Cancellation
from syncworkers.canonical.parts import PartAddressChange, PartCancellation
from syncworkers.errors import RejectedError, Violation
from syncworkers.rules import booking, changes, effects
from syncworkers.rules.effects import Effect
from syncworkers.rules.plans import Plan, order_key, part_key

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.rules.plans import Known

FROZEN = ("lines", "total", "currency", "shipping_method")
"""What must not change once the ERP has the order: there is no silent update."""


def cancel(policy: BookingPolicy, known: Known, before: SalesOrder, after: SalesOrder) -> Plan:
    """Call it off: at the warehouses first, whose answer decides; the ERP follows."""
    number = booking.number(policy, after)
    if before.cancelled_at is not None:
        return Plan(erp=policy.erp, erp_number=number, reason="it was cancelled before")
    reason = "cancelled by the store"
    at_warehouses = [
        Effect(
            key=part_key(part.warehouse, part.number, effects.PART_CANCEL, "cancel"),
            body=PartCancellation(reference=part.reference, reason=reason),
        )
        for part in known.parts
    ]
    at_erp = Effect(
        key=order_key(policy, effects.ORDER_CANCEL, "cancel"),
        body=Cancellation(
            company=policy.company,
            number=number,
            reference=booking.reference(policy, after),
            reason=reason,
        ),
        after=tuple(effect.key for effect in at_warehouses),
    )
    return Plan(erp=policy.erp, erp_number=number, effects=(*at_warehouses, at_erp))


def change(policy: BookingPolicy, known: Known, before: SalesOrder, after: SalesOrder) -> Plan:
    """Send it elsewhere; raises `RejectedError` where more than that changed."""
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
        key=order_key(policy, effects.ORDER_READDRESS, cause),
        body=AddressChange(
            company=policy.company,
            number=number,
            reference=booking.reference(policy, after),
            address=address,
        ),
    )
    at_warehouses = [
        Effect(
            key=part_key(part.warehouse, part.number, effects.PART_READDRESS, cause),
            body=PartAddressChange(reference=part.reference, email=after.email, address=address),
        )
        for part in known.parts
    ]
    return Plan(erp=policy.erp, erp_number=number, effects=(at_erp, *at_warehouses))
