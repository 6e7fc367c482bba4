"""Send the deliveries of claimed lines: in rounds, one delivery of each line at a time.

Nothing here touches the database. What happened to each delivery is kept as a `Step`, to be
recorded in one transaction afterwards.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.bookings import AddressChange, Booking, Cancellation
from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.errors import RejectedError, Violation
from syncworkers.store import codec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Partner

CREATE = "order.create"
CANCEL = "order.cancel"
BODIES: Mapping[str, type] = {
    CREATE: Booking,
    "order.readdress": AddressChange,
    CANCEL: Cancellation,
}
POISON = Outcome(
    verdict=Verdict.REJECTED,
    error="workers died again and again while they delivered this",
    violations=(
        Violation(
            path="",
            code="worker.crashed",
            message="read the workers' logs of these times, mend the cause, then retry the case",
        ),
    ),
)
SUCCESSES = frozenset({Verdict.CONFIRMED, Verdict.ADOPTED})
POISON_CRASHES = 5
"""A line that cost so many workers is not tried again by itself."""
ABSENCES_NEEDED = 2
"""“Absent” counts only when seen twice: a call may land between two looks."""
LOOK_AGAIN = (0.3, 0.7)
"""Seconds before a look-up that failed is made again within one claim: it is only a read."""
STAY = 2.0
"""Where the second look comes this soon after the first, the claim is kept for it."""


@dataclass(slots=True, kw_only=True)
class Step:
    """One thing that happened to one delivery: a call, or a decision without one."""

    row: Mapping[str, Any]
    action: str
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class LineWork:
    """A claimed line being worked: what is left of it, what happened, and why it stopped."""

    line: ClaimedLine
    left: list[Mapping[str, Any]]
    steps: list[Step] = field(default_factory=list)
    called_off: list[Mapping[str, Any]] = field(default_factory=list)
    external_id: str | None = None
    external_version: str | None = None
    stopped: bool = False
    failed_looks: int = 0
    wait: float = 0.0
    """Seconds until its head may be tried again within this claim."""

    @property
    def active(self) -> bool:
        """Say whether its next delivery may be sent."""
        return bool(self.left) and not self.stopped


def begin(
    partner: Partner,
    claimed: Sequence[ClaimedLine],
    links: Mapping[int, tuple[str, str | None]],
) -> list[LineWork]:
    """Take the claimed lines up; call off what a later cancel makes needless."""
    works = []
    for line in claimed:
        known = links.get(line.key, (None, None))
        work = LineWork(
            line=line, left=list(line.rows), external_id=known[0], external_version=known[1]
        )
        _call_off(work)
        if line.crashes >= POISON_CRASHES and work.left:
            _take(partner, work, "find", POISON)
        works.append(work)
    return works


def _call_off(work: LineWork) -> None:
    """A cancel behind a create that was never tried cancels both, and all between them."""
    if not work.left or work.left[0]["operation"] != CREATE or not _never_tried(work):
        return
    for position, row in enumerate(work.left):
        if row["operation"] == CANCEL:
            work.called_off = work.left[: position + 1]
            work.left = work.left[position + 1 :]
            return


def _never_tried(work: LineWork) -> bool:
    head = work.left[0]
    return head["unknown_since"] is None and head["generation"] == 0 and work.line.attempts == 0


def send(partner: Partner, works: Sequence[LineWork], seconds: float) -> None:
    """Send head after head of all lines until nothing more can be sent within the seconds."""
    deadline = Deadline(seconds)
    while not deadline.passed():
        heads = [work for work in works if work.active]
        if not heads:
            return
        threading.Event().wait(min(max(work.wait for work in heads), deadline.remaining()))
        unknown = [work for work in heads if work.left[0]["unknown_since"] is not None]
        fresh = [work for work in heads if work.left[0]["unknown_since"] is None]
        _round(partner, unknown, "find", deadline)
        _round(partner, fresh, "push", deadline)


def _round(partner: Partner, works: Sequence[LineWork], action: str, deadline: Deadline) -> None:
    ready: list[tuple[LineWork, Request]] = []
    for work in works:
        try:
            ready.append((work, _request(partner, work)))
        except RejectedError as error:
            refused = Outcome(
                verdict=Verdict.REJECTED, error=str(error), violations=error.violations
            )
            _take(partner, work, action, refused)
    if not ready:
        return
    call = partner.connection.find if action == "find" else partner.connection.push
    outcomes = call([request for _, request in ready], deadline)
    for (work, _), outcome in zip(ready, outcomes, strict=True):
        _take(partner, work, action, outcome)


def _request(partner: Partner, work: LineWork) -> Request:
    row = work.left[0]
    body: Any = codec.load(row["body"], BODIES[row["operation"]])
    return Request(
        operation=row["operation"],
        reference=body.reference,
        payload=partner.writes[row["operation"]](body),
        external_id=work.external_id,
        external_version=work.external_version,
    )


def _take(partner: Partner, work: LineWork, action: str, outcome: Outcome) -> None:
    """Note what happened; only a success lets the line go on."""
    row = work.left[0]
    work.wait = 0.0
    if outcome.verdict is Verdict.NOT_STARTED:
        work.stopped = True
        return
    work.steps.append(Step(row=row, action=action, outcome=outcome))
    if outcome.external_version:
        work.external_version = outcome.external_version
    if outcome.verdict in SUCCESSES:
        work.external_id = outcome.external_id or work.external_id
        work.left.pop(0)
    elif outcome.verdict is Verdict.REJECTED and row["operation"] != CREATE:
        work.left.pop(0)  # a dead side effect blocks nothing
    elif outcome.verdict is Verdict.ABSENT:
        _note_absence(work, row, partner.policy.lane.recheck)
    elif action == "find" and outcome.verdict is Verdict.RETRY and not outcome.pause:
        work.stopped = work.failed_looks >= len(LOOK_AGAIN)
        work.wait = 0.0 if work.stopped else LOOK_AGAIN[work.failed_looks]
        work.failed_looks += 1
    else:
        work.stopped = True


def _note_absence(work: LineWork, row: Mapping[str, Any], recheck: float) -> None:
    """Absent twice: it may be repeated, now, under a new generation; once: look again."""
    absences = row["absences"] + 1
    if absences >= ABSENCES_NEEDED:
        known = {"unknown_since": None, "absences": 0, "generation": row["generation"] + 1}
        work.left[0] = {**row, **known}
    elif recheck <= STAY:
        work.left[0] = {**row, "absences": absences}
        work.wait = recheck
    else:
        work.stopped = True
