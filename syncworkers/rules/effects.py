"""Effects: what a decision asks of partners, before it becomes deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.kinds import Kind

if TYPE_CHECKING:
    import datetime as dt

ORDER_CREATE = "order.create"
ORDER_READDRESS = "order.readdress"
ORDER_CANCEL = "order.cancel"
CUSTOMER_CREATE = "customer.create"
PART_CREATE = "part.create"
PART_READDRESS = "part.readdress"
PART_CANCEL = "part.cancel"
SHIPMENT_CREATE = "shipment.create"
"""At the ERP a packing slip, at the store a fulfilment."""
SHIPMENT_TRACK = "shipment.track"
INVOICE_NOTE = "invoice.note"
GROUP_ACKNOWLEDGE = "group.acknowledge"
"""What came in a group of documents could be read, or could not."""

CREATES = frozenset({ORDER_CREATE, CUSTOMER_CREATE, PART_CREATE, SHIPMENT_CREATE})
"""They bring something into being there: a link follows, and a dead one blocks its line."""
CANCELS = {ORDER_CANCEL: ORDER_CREATE, PART_CANCEL: PART_CREATE}
"""By operation: the create that it undoes."""
AWAITED = frozenset({ORDER_CREATE, CUSTOMER_CREATE, PART_CANCEL})
"""Others may wait for these, and go once they are confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectKey:
    """Names one effect: at whom, what, on which entity, and why.

    `place` tells the order's entities of one kind apart (a part's number; 0 where there is one);
    `cause` makes the effect unique for its entity and operation.
    """

    partner: str
    operation: str
    cause: str
    kind: Kind = Kind.ORDER
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect to owe. It goes once all effects in `after` are confirmed."""

    key: EffectKey
    body: Any
    after: tuple[EffectKey, ...] = ()
    not_before: dt.datetime | None = None
    """It goes no sooner, whatever else allows it."""


def may_go(operation: str, awaited: str | None) -> bool | None:
    """Decide about an effect by the state of one that it waits for; None: wait on.

    `awaited` is that delivery's state, None if it is not there. False means that the effect has
    become pointless. A dead one is for a person to decide, so what follows it waits; but a cancel
    must not follow where the cancel before it was refused.
    """
    if awaited == "confirmed":
        return True
    if operation in CANCELS:
        # What was called off there needs no cancel, and so does not stand in the way here.
        return {"cancelled": True, "superseded": True, "dead": False}.get(awaited or "")
    return False if awaited in {"cancelled", "superseded"} else None
