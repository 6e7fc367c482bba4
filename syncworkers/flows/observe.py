"""Observe: what is owed to a partner that we only watch is planned, and rests until it goes live.

Every delivery is written as it would be sent, so that what the partner cannot be told shows now;
only what an earlier integration has made, as imported links say, is confirmed. Nothing is sent.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog

from syncworkers.connectors.base import Deadline, Outcome, Verdict
from syncworkers.engine import lines
from syncworkers.engine.halving import run_halved
from syncworkers.errors import RejectedError
from syncworkers.flows import sending
from syncworkers.flows.lanes import OPEN_CASES
from syncworkers.flows.outcomes import judge
from syncworkers.flows.recording import record
from syncworkers.rules import effects
from syncworkers.store import partner_state
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from syncworkers.engine.lines import Claim, ClaimedLine
    from syncworkers.flows.fleet import Fleet, Partner
    from syncworkers.flows.outcomes import LineRecord
    from syncworkers.flows.sending import Entity, LineWork

    Links = Mapping[Entity, tuple[str, str | None]]

log = structlog.get_logger(__name__)

LOOKS_EVERY = 86400.0
"""Seconds after which what rests looks by itself whether its partner is live; it is woken then."""
ASKED_EVERY = 1.0
"""Seconds between the questions of a batch under way whether its partner is still live."""


class LiveDeadline(Deadline):
    """Passes with its time, or once its partner is only observed; safe to use from many threads.

    The claim has read the mode already. Connectors look here before each call, so that a batch
    begun while the partner was live ends early; the database has the word, and without it no call
    is made.
    """

    def __init__(self, fleet: Fleet, partner: str, seconds: float) -> None:
        super().__init__(seconds)
        self._fleet = fleet
        self._partner = partner
        self._lock = threading.Lock()
        self._asked = time.monotonic()
        self._observed = False

    def passed(self) -> bool:
        """Say whether no call may be started any more."""
        return super().passed() or self._is_observed()

    def _is_observed(self) -> bool:
        with self._lock:
            if not self._observed and time.monotonic() - self._asked >= ASKED_EVERY:
                self._observed = self._ask() is not Mode.LIVE
                self._asked = time.monotonic()
            return self._observed

    def _ask(self) -> Mode | None:
        try:
            with self._fleet.session() as session:
                return partner_state.mode(session, self._partner)
        except sa.exc.SQLAlchemyError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a claim read beside its rows: links, which of them were imported, and when it was."""

    links: Links
    imported: Collection[Entity]
    claimed_at: dt.datetime


def plan(fleet: Fleet, claimed: Claim, partner: Partner, known: Known) -> None:
    """Let the deliveries of claimed lines come to rest as planned; raises no error of one line."""
    write = partial(_rest, fleet, claimed, partner, known)
    run_halved(claimed.lines, write, _fail)


def _rest(
    fleet: Fleet, claimed: Claim, partner: Partner, known: Known, some: Sequence[ClaimedLine]
) -> None:
    """Where the partner went live meanwhile, the lines stay as they are, due at once.

    The partner is held before the lines are locked: whoever changes its mode waits for us, never
    the reverse.
    """
    name = partner.policy.name
    cases: dict[int, int] = {}
    woken: set[int] = set()
    with fleet.session() as session:
        observed = partner_state.hold(session, name) is Mode.OBSERVE
        pending = lines.fence(session, claimed, some)
        ours = [line for line in some if line.key in pending]
        if observed:
            records = [_planned(partner, line, known) for line in ours]
            cases, woken = record(session, fleet, partner, known.claimed_at, records)
            resting = [row["id"] for one in records for row in one.resting]
            partner_state.rest(session, name, resting, wait=LOOKS_EVERY)
            results = [one.result(cases) for one in records]
        else:
            results = [_as_it_was(line) for line in ours]
        more = lines.settle(session, claimed, pending, results)
    wake = [lane.name for lane in fleet.lanes.values() if lane.id in woken]
    wake += [claimed.lane.name] if more else []
    fleet.waker.notify([*wake, OPEN_CASES] if cases else wake)


def _fail(line: ClaimedLine, error: Exception) -> None:
    log.error("not planned; its lease ends and it is tried again", line=line.key, error=str(error))


def _as_it_was(line: ClaimedLine) -> lines.LineResult:
    return lines.LineResult(key=line.key, finished=0, attempts=line.attempts, crashes=line.crashes)


def _planned(partner: Partner, line: ClaimedLine, known: Known) -> LineRecord:
    """Plan one line: whatever its deliveries wait for, they are planned as if that went well."""
    entities = {sending.entity(row) for row in line.rows}
    work = sending.LineWork(
        line=line,
        left=list(line.rows),
        states={},
        now=known.claimed_at,
        links={one: known.links.get(one, (None, None)) for one in entities},
        imported=known.imported,
    )
    resting = []
    while work.left:
        row = work.left[0]
        outcome = sending.LINKED if work.is_linked else _refusal(partner, work)
        if outcome is None:
            resting.append(row)
        else:
            work.steps.append(sending.Step(row=row, action="find", outcome=outcome))
            if outcome is not sending.LINKED and row["operation"] in effects.CREATES:
                break  # a dead create blocks its line, here as well
        work.left.pop(0)
    noted = judge(partner, work, known.claimed_at)
    noted.resting = resting
    return noted


def _refusal(partner: Partner, work: LineWork) -> Outcome | None:
    """Write the request as it would be sent; return why that cannot be, if so."""
    row: Mapping[str, Any] = work.left[0]
    try:
        sending.request_of(partner, row, work.links, work.imported)
    except RejectedError as error:
        return Outcome(verdict=Verdict.REJECTED, error=str(error), violations=error.violations)
    return None
