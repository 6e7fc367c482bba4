"""What the steps of a line mean for its rows: judged in memory, recorded in one transaction."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import Verdict
from syncworkers.engine.lines import LineResult
from syncworkers.flows.sending import ABSENCES_NEEDED, CREATE, SUCCESSES
from syncworkers.rules import backoff
from syncworkers.store import attention, identity, outbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Partner
    from syncworkers.flows.sending import LineWork, Step
    from syncworkers.policy.partners import LanePolicy

BOOKED = "erp_booked"
CREDENTIALS_PAUSE = 60.0


@dataclass(slots=True, kw_only=True)
class LineRecord:
    """What to write for one line."""

    line: ClaimedLine
    steps: Sequence[Step]
    changes: list[outbox.DeliveryChange] = field(default_factory=list)
    cases: list[attention.NewCase] = field(default_factory=list)
    confirmed: list[Mapping[str, Any]] = field(default_factory=list)
    called_off: bool = False
    external_id: str | None = None
    external_version: str | None = None
    due_in: float = 0.0
    attempts: int = 0
    crashes: int = 0
    pause: float = 0.0
    pause_reason: str = ""
    blocking: attention.NewCase | None = None

    @property
    def key(self) -> int:
        """Return the line's key: the order's id."""
        return self.line.key

    def change(self, change: outbox.DeliveryChange) -> None:
        """Note what became of a delivery; of several steps the last one counts."""
        self.changes = [one for one in self.changes if one.id != change.id] + [change]

    def result(self, cases: Mapping[int, int]) -> LineResult:
        """Say what becomes of the line; `cases` are the ids of opened cases by delivery."""
        return LineResult(
            key=self.key,
            finished=sum(change.state != "open" for change in self.changes),
            due_in=self.due_in,
            attempts=self.attempts,
            crashes=self.crashes,
            blocked_by=cases[self.blocking.about_id] if self.blocking else None,
        )


def judge(partner: Partner, work: LineWork) -> LineRecord:
    """Turn what happened into what to write."""
    noted = LineRecord(
        line=work.line,
        steps=work.steps,
        external_id=work.external_id,
        external_version=work.external_version,
        attempts=work.line.attempts,
        crashes=work.line.crashes,
    )
    for row in work.called_off:
        noted.change(
            outbox.DeliveryChange(
                id=row["id"], state="cancelled", reason="called off before it was ever tried"
            )
        )
        noted.called_off = True
    for step in work.steps:
        _judge_step(noted, partner.policy.lane, step)
    return noted


def _judge_step(noted: LineRecord, policy: LanePolicy, step: Step) -> None:
    outcome = step.outcome
    match outcome.verdict:
        case Verdict.CONFIRMED | Verdict.ADOPTED:
            noted.attempts = noted.crashes = 0
            noted.confirmed.append(step.row)
            found = outcome.verdict is Verdict.ADOPTED
            adopted = "found there under our reference" if found else None
            noted.change(
                outbox.DeliveryChange(
                    id=step.row["id"],
                    state="confirmed",
                    reason=adopted,
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
        case Verdict.NOT_STARTED:
            return


def _retry(noted: LineRecord, policy: LanePolicy, step: Step) -> None:
    after = step.outcome.after or 0.0
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
            id=step.row["id"], state="dead", reason=code, generation=step.row["generation"]
        )
    )
    noted.attempts = 0
    if step.row["operation"] == CREATE:
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
        entity=str(step.row["body"].get("number", step.row["entity_id"])),
        code=code,
        error=error,
        violations=tuple(asdict(violation) for violation in step.outcome.violations),
        payload=step.outcome.sent,
        correlation_id=step.row["correlation_id"],
    )


def record(
    session: Session, worker: str, partner: Partner, records: Sequence[LineRecord]
) -> dict[int, int]:
    """Write what happened to lines that are still ours; return opened cases by delivery id."""
    outbox.change(session, [change for one in records for change in one.changes])
    outbox.add_attempts(session, _attempts(worker, [step for one in records for step in one.steps]))
    identity.link(
        session,
        [
            identity.NewLink(
                kind=Kind.ORDER,
                entity_id=one.key,
                partner=partner.policy.name,
                external_id=one.external_id,
                external_version=one.external_version,
            )
            for one in records
            if one.confirmed and one.external_id
        ],
    )
    booked = [one.key for one in records if any(r["operation"] == CREATE for r in one.confirmed)]
    attention.end_expectations(session, Kind.ORDER, booked, BOOKED, state="met")
    called_off = [one.key for one in records if one.called_off]
    attention.end_expectations(session, Kind.ORDER, called_off, BOOKED, state="cancelled")
    retried = [row["id"] for one in records for row in one.confirmed if row["retries"]]
    attention.resolve_by_success(session, "delivery", retried)
    cases = [case for one in records for case in one.cases]
    opened = attention.open_cases(session, cases)
    return {case.about_id: number for case, number in zip(cases, opened, strict=True)}


def _attempts(worker: str, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Fold the steps of one call that ended alike into one row, in the order of the calls."""
    alike: dict[tuple[Any, ...], list[Step]] = {}
    for step in steps:
        outcome = step.outcome
        key = (outcome.call or id(step), step.action, outcome.verdict, outcome.status)
        alike.setdefault((*key, outcome.error, outcome.answer), []).append(step)
    return [_attempt(worker, together) for together in alike.values()]


def _attempt(worker: str, steps: Sequence[Step]) -> dict[str, Any]:
    outcome = steps[0].outcome
    evidence = outcome.verdict not in SUCCESSES
    return {
        "delivery_ids": [step.row["id"] for step in steps],
        "action": steps[0].action,
        "verdict": outcome.verdict.value,
        "call": outcome.call,
        "status": outcome.status,
        "duration_ms": outcome.duration_ms,
        "error": outcome.error,
        "sent_hashes": [
            hashlib.sha256((step.outcome.sent or "").encode()).hexdigest() for step in steps
        ],
        "sent": outcome.sent if evidence else None,
        "answer": outcome.answer if evidence else None,
        "worker": worker,
    }
