"""Apply a batch of readings in one transaction: decide in memory, then write set by set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from syncworkers.engine import parking
from syncworkers.engine.lines import LineResult
from syncworkers.errors import RetryableError, WaitingError
from syncworkers.flows.lanes import INBOX
from syncworkers.flows.writes import Writes
from syncworkers.rules import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.errors import RejectedError, SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading


class Decider(Protocol):
    """How messages of one kind are decided; made anew for each transaction."""

    def load(self, readings: Sequence[Reading]) -> None:
        """Lock and read, in a handful of statements, everything the decisions need."""
        ...

    def decide(self, reading: Reading) -> SyncError | None:
        """Decide about one message that could be read; return the verdict in its way, if any."""
        ...

    def called(self, reading: Reading) -> str:
        """Return what people call the object of a message."""
        ...

    def write(self) -> None:
        """Write the canonical rows."""
        ...


@dataclass(slots=True, kw_only=True)
class LinePlan:
    """A claimed line and what its messages say."""

    line: ClaimedLine
    readings: Sequence[Reading]


def refuse_head(plan: LinePlan, error: RejectedError) -> LinePlan:
    """Put a verdict in the way of the line's first message; the others wait for the next claim."""
    head = replace(plan.readings[0], subject=None, error=error)
    return LinePlan(line=plan.line, readings=[head])


class Batch:
    """One transaction's worth of lines."""

    def __init__(
        self,
        fleet: Fleet,
        session: Session,
        decider: Callable[[Fleet, Session, Writes], Decider],
        plans: Sequence[LinePlan],
    ) -> None:
        self._session = session
        self._plans = plans
        self._writes = Writes(fleet)
        self._decider = decider(fleet, session, self._writes)
        self.awaited: list[str] = []
        """Keys that arrived and that somebody waits for."""

    @property
    def touched(self) -> set[str]:
        """Return the lanes that have new deliveries."""
        return self._writes.touched

    @property
    def has_cases(self) -> bool:
        """Say whether the batch opened exception cases."""
        return bool(self._writes.cases)

    def apply(self) -> list[LineResult]:
        """Decide and write; return what becomes of each line."""
        readings = [one for plan in self._plans for one in plan.readings]
        self._decider.load([one for one in readings if one.subject is not None])
        results = [self._decide_line(plan) for plan in self._plans]
        self._decider.write()
        self._writes.write(self._session)
        self.awaited = parking.awaited(self._session, INBOX, self._writes.arrived)
        return results

    def _decide_line(self, plan: LinePlan) -> LineResult:
        finished = 0
        for reading in plan.readings:
            error = reading.error or self._decider.decide(reading)
            self._writes.note(reading)
            if isinstance(error, RetryableError):
                return _again(plan, finished, error)
            if isinstance(error, WaitingError):
                self._writes.parked.append((reading.row["id"], error.key))
            elif error is not None:
                self._writes.refuse(reading, error, self._decider.called(reading))
            finished += 1
        return LineResult(key=plan.line.key, finished=finished)


def _again(plan: LinePlan, finished: int, error: RetryableError) -> LineResult:
    attempts = plan.line.attempts + (0 if error.throttled else 1)
    wait = backoff.delay(max(attempts, 1), first=1.0, limit=60.0, jitter=1.0)
    return LineResult(
        key=plan.line.key,
        finished=finished,
        due_in=max(error.after or 0.0, wait),
        attempts=min(attempts, 1000),
        crashes=plan.line.crashes,
    )
