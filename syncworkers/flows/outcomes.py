"""What the steps of a line mean for its rows: judged in memory, before anything is written."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Verdict
from syncworkers.engine.lines import LineResult
from syncworkers.flows.sending import ABSENCES_NEEDED, LINKED
from syncworkers.rules import backoff, effects
from syncworkers.store import attention, outbox

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Outcome
    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Partner
    from syncworkers.flows.sending import Entity, LineWork, Step
    from syncworkers.policy.partners import LanePolicy

CREDENTIALS_PAUSE = 60.0
LONGEST_QUIET = 3600.0
"""Seconds a partner may ask us to wait: whatever it says, somebody looks after an hour."""
FIRST_TURN, LONGEST_TURN = 2.0, 60.0
"""Seconds between looks whether a delivery may go; mostly it is woken before."""


@dataclass(slots=True, kw_only=True)
class LineRecord:
    """What to write for one line."""

    line: ClaimedLine
    steps: Sequence[Step]
    changes: list[outbox.DeliveryChange] = field(default_factory=list)
    cases: list[attention.NewCase] = field(default_factory=list)
    confirmed: list[Mapping[str, Any]] = field(default_factory=list)
    called_off: Sequence[Mapping[str, Any]] = ()
    pointless: Sequence[Mapping[str, Any]] = ()
    dead: list[Mapping[str, Any]] = field(default_factory=list)
    resting: list[Mapping[str, Any]] = field(default_factory=list)
    """Deliveries that are planned, and not sent while the partner is observed."""
    links: Mapping[Entity, tuple[str | None, str | None]] = field(default_factory=dict)
    """The partner's id and version of each entity, as far as known now."""
    due_in: float = 0.0
    attempts: int = 0
    crashes: int = 0
    pause: float = 0.0
    pause_reason: str = ""
    blocking: attention.NewCase | None = None

    @property
    def key(self) -> int:
        """Return the line's key."""
        return self.line.key

    def change(self, change: outbox.DeliveryChange) -> None:
        """Note what became of a delivery; of several steps the last one counts."""
        self.changes = [one for one in self.changes if one.id != change.id] + [change]

    def result(self, cases: Mapping[int, int]) -> LineResult:
        """Say what becomes of the line; `cases` are the ids of opened cases by delivery."""
        return LineResult(
            key=self.key,
            finished=sum(change.state != "open" for change in self.changes) + len(self.resting),
            due_in=self.due_in,
            attempts=self.attempts,
            crashes=self.crashes,
            blocked_by=cases[self.blocking.about_id] if self.blocking else None,
        )


def judge(partner: Partner, work: LineWork, claimed_at: dt.datetime) -> LineRecord:
    """Turn what happened into what to write; `claimed_at` is the database's time."""
    noted = LineRecord(
        line=work.line,
        steps=work.steps,
        called_off=work.called_off,
        pointless=work.pointless,
        links=work.links,
        attempts=work.line.attempts,
        crashes=work.line.crashes,
    )
    for rows, reason in (
        (work.called_off, "called off before it was ever tried"),
        (work.pointless, outbox.POINTLESS),
    ):
        for row in rows:
            noted.change(outbox.DeliveryChange(id=row["id"], state="cancelled", reason=reason))
    for step, later in zip(work.steps, [*work.steps[1:], None], strict=False):
        if not _is_looked_up_again(step, later):
            _judge_step(noted, partner.policy.lane, step)
        if step.outcome.verdict is Verdict.PENDING:
            noted.due_in = _until_next_look(step.row, claimed_at)
    if work.waiting:
        noted.due_in = max(noted.due_in, _until_next_turn(work.left[0], claimed_at))
    return noted


def _is_looked_up_again(step: Step, later: Step | None) -> bool:
    """Say whether a look-up failed and was repeated within the claim: only the last one counts."""
    failed = step.action == "find" and step.outcome.verdict is Verdict.RETRY
    return failed and later is not None and later.row["id"] == step.row["id"]


def _until_next_turn(row: Mapping[str, Any], claimed_at: dt.datetime) -> float:
    """Look again after half as long as it has been owed: no attempt is counted, nothing written.

    What waits for a time of day waits until then.
    """
    if row["not_before"] is not None and row["not_before"] > claimed_at:
        until: dt.timedelta = row["not_before"] - claimed_at
        return until.total_seconds()
    return min(LONGEST_TURN, _until_next_look(row, claimed_at))


def _until_next_look(row: Mapping[str, Any], claimed_at: dt.datetime) -> float:
    """Look at what waits for an answer again; it is woken when that comes."""
    owed: dt.timedelta = claimed_at - row["created_at"]
    return min(LONGEST_QUIET, max(FIRST_TURN, owed.total_seconds() / 2))


def _judge_step(noted: LineRecord, policy: LanePolicy, step: Step) -> None:
    outcome = step.outcome
    match outcome.verdict:
        case Verdict.CONFIRMED | Verdict.ADOPTED:
            noted.attempts = noted.crashes = 0
            noted.confirmed.append(step.row)
            found = outcome.verdict is Verdict.ADOPTED
            noted.change(
                outbox.DeliveryChange(
                    id=step.row["id"],
                    state="confirmed",
                    reason=_how_found(outcome) if found else None,
                    generation=step.row["generation"],
                )
            )
            # What is found there may have been changed since, by our own later deliveries too.
            if outcome.error and not found:
                noted.cases.append(_case(step, "readback.differs", outcome.error))
        case Verdict.REJECTED:
            _die(noted, step, _code(step), outcome.error or "refused")
        case Verdict.UNKNOWN:
            noted.change(_kept(step, unknown=True))
            _again(noted, policy, step, after=policy.settle)
        case Verdict.ABSENT:
            _absent(noted, policy, step)
        case Verdict.RETRY:
            _retry(noted, policy, step)
        case Verdict.NOT_STARTED | Verdict.PENDING:
            return


def _how_found(outcome: Outcome) -> str | None:
    return outcome.error if outcome is LINKED else "found there under our reference"


def _retry(noted: LineRecord, policy: LanePolicy, step: Step) -> None:
    after = min(step.outcome.after or 0.0, LONGEST_QUIET)
    if step.outcome.pause:
        # The whole partner asked for quiet: nobody's fault, so no attempt is counted.
        noted.pause = CREDENTIALS_PAUSE if step.outcome.credentials else after
        noted.pause_reason = step.outcome.error or "the partner asked for quiet"
        noted.due_in = after
        return
    _again(noted, policy, step, after=after)


def _again(noted: LineRecord, policy: LanePolicy, step: Step, *, after: float) -> None:
    noted.attempts += 1
    if noted.attempts >= policy.max_attempts:
        code = "outcome.undecided" if _is_unknown(step) else "attempts.worn_out"
        _die(noted, step, code, step.outcome.error or "no success")
        return
    wait = backoff.delay(
        noted.attempts,
        first=policy.backoff_first,
        limit=policy.backoff_limit,
        jitter=random.random(),  # noqa: S311 - it spreads load, it guards nothing
    )
    noted.due_in = max(after, wait)


def _is_unknown(step: Step) -> bool:
    return step.action == "find" or step.outcome.verdict is Verdict.UNKNOWN


def _absent(noted: LineRecord, policy: LanePolicy, step: Step) -> None:
    absences = step.row["absences"] + 1
    if absences < ABSENCES_NEEDED:
        noted.change(_kept(step, unknown=True, absences=absences))
        noted.due_in = policy.recheck
        return
    noted.change(_kept(step, unknown=False, generation=step.row["generation"] + 1))
    noted.crashes = 0
    noted.due_in = 0.0


def _kept(
    step: Step, *, unknown: bool, absences: int = 0, generation: int | None = None
) -> outbox.DeliveryChange:
    kept = step.row["generation"] if generation is None else generation
    return outbox.DeliveryChange(
        id=step.row["id"], state="open", unknown=unknown, absences=absences, generation=kept
    )


def _die(noted: LineRecord, step: Step, code: str, error: str) -> None:
    case = _case(step, code, error)
    noted.cases.append(case)
    noted.change(
        outbox.DeliveryChange(
            id=step.row["id"],
            state="dead",
            reason=code,
            unknown=_is_unknown(step),  # a retry then looks it up first
            generation=step.row["generation"],
        )
    )
    noted.attempts = 0
    noted.dead.append(step.row)
    if step.row["operation"] in effects.CREATES:
        noted.blocking = case


def _code(step: Step) -> str:
    violations = step.outcome.violations
    return violations[0].code if violations else "partner.refused"


def _case(step: Step, code: str, error: str) -> attention.NewCase:
    return attention.NewCase(
        about="delivery",
        about_id=step.row["id"],
        partner=step.row["partner"],
        entity_kind=step.row["entity_kind"],
        entity=_called(step.row),
        code=code,
        error=error,
        violations=tuple(asdict(violation) for violation in step.outcome.violations),
        payload=step.outcome.sent,
        correlation_id=step.row["correlation_id"],
    )


def _called(row: Mapping[str, Any]) -> str:
    """Return what people call the object of a delivery."""
    body = row["body"]
    names = ("order_number", "erp_number", "number", "reference")
    return next((str(body[name]) for name in names if body.get(name)), str(row["entity_id"]))
