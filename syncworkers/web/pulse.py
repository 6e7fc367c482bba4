"""How the fleet does just now, read from the database in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.engine.lanes import LaneLoad, loads
from syncworkers.store import fleet as fleet_state
from syncworkers.store import migrate, stories

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from syncworkers.flows.fleet import Fleet

# States are literals, so that the partial indexes on them are used.
_COUNTS = sa.text("""
SELECT (SELECT count(*) FROM exception_case WHERE state = 'open') AS cases,
       (SELECT count(*) FROM message WHERE state = 'parked') AS messages,
       (SELECT count(*) FROM delivery WHERE state = 'parked') AS deliveries
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One reading; `parked` counts rows by table."""

    now: dt.datetime
    lanes: Sequence[LaneLoad]
    open_cases: int
    parked: Mapping[str, int]
    gates: Sequence[Mapping[str, Any]]
    """Order parts that wait before their warehouse gets them: `partner`, `gate`, `parts`."""

    def overdue(self, lane: LaneLoad) -> float:
        """Return for how many seconds the lane's oldest ready row has been due."""
        if lane.oldest_due is None:
            return 0.0
        return max(0.0, (self.now - lane.oldest_due).total_seconds())


def read(fleet: Fleet) -> Pulse:
    """Read lanes, cases and parked rows."""
    with fleet.session() as session:
        counts = session.execute(_COUNTS).one()
        return Pulse(
            now=fleet_state.now(session),
            lanes=loads(session),
            open_cases=counts.cases,
            parked={"message": counts.messages, "delivery": counts.deliveries},
            gates=stories.waiting_at_gates(session),
        )


def is_migrated(fleet: Fleet) -> bool:
    """Say whether the database has the revision this build needs, or a later one."""
    with fleet.session() as session:
        return migrate.is_current(session.connection())
