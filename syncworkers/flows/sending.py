"""Send the deliveries of claimed lines: in rounds, one delivery of each line at a time.

Nothing here touches the database. What happened to each delivery is kept as a `Step`, to be
recorded in one transaction afterwards.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.bookings import AddressChange, Booking, Cancellation
from syncworkers.canonical.customers import Account
from syncworkers.canonical.files import Acknowledgement
from syncworkers.canonical.invoices import InvoiceNotice
from syncworkers.canonical.parts import Part, PartAddressChange, PartCancellation
from syncworkers.canonical.shipments import Shipment
from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.errors import RejectedError, Violation
from syncworkers.rules import effects
from syncworkers.store import codec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, MutableMapping, Sequence

    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Partner

BODIES: Mapping[str, type] = {
    effects.ORDER_CREATE: Booking,
    effects.ORDER_READDRESS: AddressChange,
    effects.ORDER_CANCEL: Cancellation,
    effects.CUSTOMER_CREATE: Account,
    effects.PART_CREATE: Part,
    effects.PART_READDRESS: PartAddressChange,
    effects.PART_CANCEL: PartCancellation,
    effects.SHIPMENT_CREATE: Shipment,
    effects.SHIPMENT_TRACK: Shipment,
    effects.INVOICE_NOTE: InvoiceNotice,
    effects.GROUP_ACKNOWLEDGE: Acknowledgement,
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
LINKED = Outcome(
    verdict=Verdict.ADOPTED, error="made by an earlier integration, as its imported link says"
)
"""What becomes of a create that an import of links has answered: nothing is called."""
SUCCESSES = frozenset({Verdict.CONFIRMED, Verdict.ADOPTED})
POISON_CRASHES = 5
"""A line that cost so many workers is not tried again by itself."""
ABSENCES_NEEDED = 2
"""“Absent” counts only when seen twice: a call may land between two looks."""
LOOK_AGAIN = (0.3, 0.7)
"""Seconds before a look-up that failed is made again within one claim: it is only a read."""
STAY = 2.0
"""Where the second look comes this soon after the first, the claim is kept for it."""

Entity = tuple[str, int]


@dataclass(slots=True, kw_only=True)
class Step:
    """One thing that happened to one delivery: a call, or a decision without one."""

    row: Mapping[str, Any]
    action: str
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class LineWork:
    """A claimed line being worked: what is left of it, what happened, and why it stopped.

    `states` is shared by all lines of a claim: how the deliveries stand that others wait for.
    `links` holds the partner's id and version of each entity, as far as known; `imported` are those
    an earlier integration made.
    """

    line: ClaimedLine
    left: list[Mapping[str, Any]]
    states: MutableMapping[str, str]
    links: dict[Entity, tuple[str | None, str | None]]
    now: dt.datetime
    """The database's time of the claim."""
    imported: Collection[Entity] = frozenset()
    steps: list[Step] = field(default_factory=list)
    called_off: list[Mapping[str, Any]] = field(default_factory=list)
    pointless: list[Mapping[str, Any]] = field(default_factory=list)
    """What they waited for will never happen."""
    stopped: bool = False
    waiting: bool = False
    """Its head waits for another delivery."""
    failed_looks: int = 0
    wait: float = 0.0
    """Seconds until its head may be tried again within this claim."""

    @property
    def active(self) -> bool:
        """Say whether its next delivery may be sent."""
        return bool(self.left) and not self.stopped and not self.waiting

    @property
    def is_linked(self) -> bool:
        """Say whether its head is a create that an imported link answers."""
        head = self.left[0]
        return head["operation"] in effects.CREATES and entity(head) in self.imported


def entity(row: Mapping[str, Any]) -> Entity:
    """Return which entity of ours a delivery is about."""
    return row["entity_kind"], row["entity_id"]


def begin(  # noqa: PLR0913, PLR0917 - what was claimed, and all that was read of it
    partner: Partner,
    claimed: Sequence[ClaimedLine],
    claimed_at: dt.datetime,
    links: Mapping[Entity, tuple[str, str | None]],
    states: MutableMapping[str, str],
    siblings: Mapping[int, Collection[Entity]],
    *,
    imported: Collection[Entity] = frozenset(),
) -> list[LineWork]:
    """Take the claimed lines up; call off what a later cancel makes needless.

    `siblings` are by line the other entities of its order, whose ids at the partner are taken.
    """
    works = []
    for line in claimed:
        entities = {entity(row) for row in line.rows} | set(siblings.get(line.key, ()))
        work = LineWork(
            line=line,
            left=list(line.rows),
            states=states,
            now=claimed_at,
            links={one: links.get(one, (None, None)) for one in entities},
            imported=imported,
        )
        _call_off(work)
        _await_turn(work)
        if line.crashes >= POISON_CRASHES and work.active:
            _take(partner, work, "find", POISON)
        works.append(work)
    return works


def _call_off(work: LineWork) -> None:
    """A cancel behind a create that was never tried cancels both, and all between them.

    Only a cancel that may go already: one that waits for another's answer may still be refused.
    """
    if not work.left or not _never_tried(work):
        return
    head = work.left[0]
    for position, row in enumerate(work.left):
        undoes = effects.CANCELS.get(row["operation"])
        if undoes == head["operation"] and entity(row) == entity(head) and _may_go(work, row):
            before, after = work.left[: position + 1], work.left[position + 1 :]
            work.called_off = [one for one in before if entity(one) == entity(head)]
            work.left = [one for one in before if entity(one) != entity(head)] + after
            return


def _never_tried(work: LineWork) -> bool:
    head = work.left[0]
    # A raised generation does not count: it says that the partner was seen not to have it.
    return head["unknown_since"] is None and work.line.attempts == 0 and not work.is_linked


def _may_go(work: LineWork, row: Mapping[str, Any]) -> bool | None:
    """Say whether a delivery may go, must wait (None), or has become pointless (False)."""
    verdicts = [effects.may_go(row["operation"], work.states.get(key)) for key in row["after"]]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _await_turn(work: LineWork) -> None:
    """Drop heads that have become pointless; stop before one that has to wait."""
    while work.left:
        may_go = _may_go(work, work.left[0])
        if may_go is False:
            work.pointless.append(work.left.pop(0))
            continue
        # What was begun before must be looked up, whatever it waits for.
        begun = work.left[0]["unknown_since"] is not None
        early = may_go is None or _is_early(work) or _may_be_called_off(work)
        work.waiting = not begun and early
        return


def _is_early(work: LineWork) -> bool:
    """Say whether the head's time of day has not come yet."""
    not_before = work.left[0]["not_before"]
    return not_before is not None and not_before > work.now


def _may_be_called_off(work: LineWork) -> bool:
    """Say whether a cancel stands behind a create that was never tried, and is not decided yet."""
    head = work.left[0]
    return _never_tried(work) and any(
        effects.CANCELS.get(row["operation"]) == head["operation"]
        and entity(row) == entity(head)
        and _may_go(work, row) is None
        for row in work.left[1:]
    )


def refuse_taken(work: LineWork, owners: Mapping[tuple[str, str], int]) -> None:
    """Turn successes into refusals where the partner's id belongs to another entity of ours."""
    for step in work.steps:
        kind, entity_id = entity(step.row)
        external_id, _ = work.links[kind, entity_id]
        owner = owners.get((kind, external_id or ""), entity_id)
        if step.outcome.verdict in SUCCESSES and owner != entity_id:
            message = (
                f"the partner says it is {external_id}, which is our {kind} {owner} already: find "
                "out there which of them it is, then retry"
            )
            taken = Violation(path="", code="link.taken", message=message)
            step.outcome = replace(
                step.outcome, verdict=Verdict.REJECTED, error=message, violations=(taken,)
            )


def send(partner: Partner, works: Sequence[LineWork], deadline: Deadline) -> None:
    """Send head after head of all lines until nothing more can be sent before the deadline."""
    while not deadline.passed():
        for work in works:
            while work.active and work.is_linked:
                _take(partner, work, "find", LINKED)
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
    return request_of(partner, work.left[0], work.links, work.imported)


def request_of(
    partner: Partner,
    row: Mapping[str, Any],
    links: Mapping[Entity, tuple[str | None, str | None]],
    imported: Collection[Entity],
) -> Request:
    """Write the request of a delivery; raises `RejectedError` where the partner cannot be told."""
    body: Any = codec.load(row["body"], BODIES[row["operation"]])
    external_id, external_version = links.get(entity(row), (None, None))
    others = (one for one in links if one[0] == row["entity_kind"] and one != entity(row))
    return Request(
        operation=row["operation"],
        reference=body.reference,
        payload=partner.writes[row["operation"]](body),
        external_id=external_id,
        external_version=external_version,
        taken=frozenset(known for one in others if (known := links[one][0]) is not None),
        imported=entity(row) in imported,
        insisted=bool(row["retries"]),
    )


def _take(partner: Partner, work: LineWork, action: str, outcome: Outcome) -> None:
    """Note what happened; only a success lets the line go on."""
    row = work.left[0]
    work.wait = 0.0
    if outcome.verdict is Verdict.NOT_STARTED:
        work.stopped = True
        return
    work.steps.append(Step(row=row, action=action, outcome=outcome))
    known_id, known_version = work.links[entity(row)]
    version = outcome.external_version or known_version
    work.links[entity(row)] = (known_id, version)
    if outcome.verdict in SUCCESSES:
        work.links[entity(row)] = (outcome.external_id or known_id, version)
        work.states[row["idempotency_key"]] = "confirmed"
        _go_on(work)
    elif outcome.verdict is Verdict.REJECTED and row["operation"] not in effects.CREATES:
        _go_on(work)  # a dead side effect blocks nothing
    elif outcome.verdict is Verdict.ABSENT:
        _note_absence(work, row, partner.policy.lane.recheck)
    elif action == "find" and outcome.verdict is Verdict.RETRY and not outcome.pause:
        work.stopped = work.failed_looks >= len(LOOK_AGAIN)
        work.wait = 0.0 if work.stopped else LOOK_AGAIN[work.failed_looks]
        work.failed_looks += 1
    else:
        work.stopped = True


def _go_on(work: LineWork) -> None:
    work.left.pop(0)
    _await_turn(work)


def _note_absence(work: LineWork, row: Mapping[str, Any], recheck: float) -> None:
    """Absent twice: it may be repeated, now, under a new generation; once: look again."""
    absences = row["absences"] + 1
    if absences >= ABSENCES_NEEDED:
        known = {"unknown_since": None, "absences": 0, "generation": row["generation"] + 1}
        work.left[0] = {**row, **known}
        _await_turn(work)
    elif recheck <= STAY:
        work.left[0] = {**row, "absences": absences}
        work.wait = recheck
    else:
        work.stopped = True
