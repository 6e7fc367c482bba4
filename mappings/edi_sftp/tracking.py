"""The carrier's shipment status 214: where a parcel is.

Source: X12 004010, 214: codes 1650 (status), 1651 (reason) and 1652 (appointment), some of them
from memory: confirm them with each carrier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks
from mappings.edi_sftp.clocks import NOWHERE, START
from mappings.edi_sftp.elements import opened
from mappings.edi_sftp.profile import Profile, read_profile
from syncworkers.canonical.shipments import Milestone, MilestoneEvent, TrackingReport

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

MILESTONES: Mapping[str, Milestone] = {
    "XB": Milestone.LABEL_CREATED,
    # The truck has arrived at the pick-up: the goods are not on it yet.
    "X3": Milestone.PICKUP_SCHEDULED,
    "AF": Milestone.PICKED_UP,
    "AM": Milestone.PICKED_UP,
    "CP": Milestone.PICKED_UP,
    "X4": Milestone.IN_TRANSIT,
    "X6": Milestone.IN_TRANSIT,
    "P1": Milestone.IN_TRANSIT,
    "L1": Milestone.IN_TRANSIT,
    "I1": Milestone.IN_TRANSIT,
    "OA": Milestone.IN_TRANSIT,
    "AJ": Milestone.OUT_FOR_DELIVERY,
    "X1": Milestone.OUT_FOR_DELIVERY,
    "AH": Milestone.DELIVERY_ATTEMPTED,
    "AP": Milestone.DELIVERY_ATTEMPTED,
    "AV": Milestone.AVAILABLE_FOR_PICKUP,
    "K1": Milestone.CUSTOMS_HOLD,
    "SD": Milestone.DELAYED,
    "A7": Milestone.REFUSED,
    "A9": Milestone.DAMAGED,
    # One word for the way back and its end: only our warehouse's receipt says that it is back.
    "A3": Milestone.RETURNING,
    "D1": Milestone.DELIVERED,
    "CD": Milestone.DELIVERED,
    "CA": Milestone.CANCELLED,
}
"""AT7-01."""
ESTIMATES = frozenset({"AG", "X2"})
"""They say what is expected, and never that it happened."""
REASONS: Mapping[str, Milestone] = {
    "CA": Milestone.CUSTOMS_HOLD,
    "AS": Milestone.CUSTOMS_HOLD,
    "BD": Milestone.CUSTOMS_HOLD,
    "A1": Milestone.DELIVERY_ATTEMPTED,
    "A2": Milestone.DELIVERY_ATTEMPTED,
    "AQ": Milestone.DELIVERY_ATTEMPTED,
    "B1": Milestone.DELIVERY_ATTEMPTED,
    "AI": Milestone.DELAYED,
    "AO": Milestone.DELAYED,
    "AK": Milestone.DAMAGED,
}
"""AT7-02: why a parcel is where it is, where the status only says that it is on its way."""
ON_ITS_WAY = frozenset({Milestone.IN_TRANSIT, Milestone.OUT_FOR_DELIVERY})
NORMAL = frozenset({"", "NS"})
APPOINTMENTS = frozenset({"AA", "XA"})
"""AT7-03: a pick-up is arranged."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """Reads the shipment status of one partner by its profile."""

    profile: Profile = field(default_factory=Profile)
    milestones: Mapping[str, Milestone] = field(default_factory=lambda: MILESTONES)
    name: str = "edi_sftp.tracking/1"

    def fit(self, connection: Mapping[str, Any]) -> Tracking:
        """Return the reader for a partner file; raises `ValueError` naming key and remedy."""
        profile = read_profile(connection)
        for code, word in profile.milestones.items():
            if word not in set(Milestone):
                message = f"[connection.profile.milestones] {code} = {word!r} is none of "
                raise ValueError(message + ", ".join(Milestone))
        own = {code: Milestone(word) for code, word in profile.milestones.items()}
        return Tracking(profile=profile, milestones={**MILESTONES, **own})

    def load(self, body: bytes) -> tuple[TrackingReport, tuple[str, ...]]:
        """Return the report, its events oldest first, and what was passed over.

        Raises `RejectedError`, and nothing else, naming segment and element.
        """
        read = opened(body, "214", self.profile)
        found = sorted(dict.fromkeys(self._events(read)), key=lambda one: one.occurred_at)
        report = TrackingReport(
            external_id=_shipment_id(read),
            updated_at=found[-1].occurred_at if found else _written_at(read),
            milestones=tuple(found),
        )
        read.refuse("the shipment status")
        return report, read.drift

    def _events(self, read: Elements) -> Iterator[MilestoneEvent]:
        for one, after in read.loops("AT7", {"LX"}):
            status, appointment = read.text(one, 1), read.text(one, 3)
            if not status and not appointment:
                read.wrong(one, 1, "field.missing", "is missing, and so is AT7-03")
            if status in ESTIMATES:
                continue
            milestone, code = self._milestone(status, read.text(one, 2), appointment)
            if milestone is Milestone.UNKNOWN:
                read.note(f"AT7: code {code[:10]!r} is not known")
            yield MilestoneEvent(
                milestone=milestone,
                occurred_at=clocks.moment(read, one, 5, 6, 7, alone=START),
                code=code,
                location=_location(read, after),
            )

    def _milestone(self, status: str, reason: str, appointment: str) -> tuple[Milestone, str]:
        """Return the milestone, and the partner's own words for it."""
        if not status:
            arranged = appointment in APPOINTMENTS
            return Milestone.PICKUP_SCHEDULED if arranged else Milestone.UNKNOWN, appointment
        found = self.milestones.get(status, Milestone.UNKNOWN)
        if found in ON_ITS_WAY:
            found = REASONS.get(reason, found)
        return found, status if reason in NORMAL else f"{status}/{reason}"


TRACKING = Tracking()
"""By the profile of nobody in particular."""


def _shipment_id(read: Elements) -> str:
    return read.needed(
        read.head("B10", "which shipment this is about"), 2, "the id of the shipment"
    )


def _written_at(read: Elements) -> dt.datetime:
    found = clocks.written_at(read)
    if found is None:
        read.absent("AT7", "tells of nothing that happened, and the file has no date")
    return found or NOWHERE


def _location(read: Elements, after: Sequence[Segment]) -> str:
    """Return city, state and country, as far as they are told."""
    told = next((one for one in after if one.tag == "MS1"), None)
    return ", ".join(text for at in (1, 2, 3) if (text := read.text(told, at)))
