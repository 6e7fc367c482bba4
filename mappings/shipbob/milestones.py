"""What ShipBob's tracking says of a parcel, in our words. Contract: Tracking 2026-01.

The list of statuses is the contract's whole list. Of substatuses it only names examples; their
exact texts are unverified, so case, blanks and marks between words do not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncworkers.canonical.shipments import Milestone

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELED = "LabeledCreated"
DELIVERED = "Delivered"
IN_TRANSIT = "InTransit"

STATUSES: Mapping[str, Milestone] = {
    "PreTransit": Milestone.LABEL_CREATED,
    IN_TRANSIT: Milestone.IN_TRANSIT,
    "Delivery attempt Failed": Milestone.DELIVERY_ATTEMPTED,
    "Available for Pickup": Milestone.AVAILABLE_FOR_PICKUP,
    DELIVERED: Milestone.DELIVERED,
    "DeliveryException": Milestone.DELAYED,
    # Both say that something is wrong, and not what.
    "Exception": Milestone.EXCEPTION,
    "Failed": Milestone.EXCEPTION,
    # One word for the way back and its end: only our warehouse's receipt says that it is back.
    "Return to sender": Milestone.RETURNING,
    "Cancelled": Milestone.CANCELLED,
}
SUBSTATUSES: Mapping[str, Milestone] = {
    "outfordelivery": Milestone.OUT_FOR_DELIVERY,
    "failedattempt": Milestone.DELIVERY_ATTEMPTED,
    "delayed": Milestone.DELAYED,
}
"""What makes more of `InTransit`."""
_BETWEEN = re.compile(r"[\W_]+")


def milestone(status: str, substatus: str) -> Milestone:
    """Return the milestone of a status; `unknown` for a word in no table."""
    found = STATUSES.get(status, Milestone.UNKNOWN)
    if found is not Milestone.IN_TRANSIT:
        return found
    return SUBSTATUSES.get(_BETWEEN.sub("", substatus).casefold(), found)


def code(status: str, substatus: str) -> str:
    """Return the source's own words, to be kept so that they can be mapped anew."""
    return f"{status}/{substatus}" if substatus else status
