"""Lanes: the bulkheads. Each has slots, a pause switch, and a pace of claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from syncworkers.engine.tables import Lane, Line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.work import WorkTable


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpec:
    """How a lane works. `batch` lines of up to `depth` rows a claim; times in seconds unless named.

    A lease covers the work budget, one whole call begun at its last moment, and a margin.
    """

    name: str
    priority: int = 0
    slots: int = 4
    batch: int = 100
    depth: int = 10
    gather_ms: int = 0
    work_budget: float = 20.0
    call_deadline: float = 20.0
    settle: float = 0.0
    margin: float = 5.0
    longest: float = 0.0
    """Seconds for which a claim's lease is renewed while its work goes on; 0: it never is."""
    linger: float = 2.0
    """How long a worker stays by an empty lane before it leaves."""

    @property
    def lease(self) -> float:
        """Return the seconds a claim is good for."""
        return self.work_budget + self.call_deadline + self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHandle:
    """A registered lane: its id, how it works, and the table its rows stand in."""

    id: int
    spec: LaneSpec
    work: WorkTable

    @property
    def name(self) -> str:
        """Return what a wake-up names."""
        return self.spec.name


def register(session: Session, specs: Sequence[LaneSpec]) -> dict[str, int]:
    """Write the lanes down, new or changed ones only; return their ids by name.

    Pauses are left alone: they are decisions of people and breakers, not of a deploy.
    """
    if not specs:
        return {}
    statement = insert(Lane).values(
        [
            {
                "name": spec.name,
                "priority": spec.priority,
                "slots": spec.slots,
                "gather_ms": spec.gather_ms,
                "settle_seconds": spec.settle,
            }
            for spec in sorted(specs, key=lambda spec: spec.name)
        ]
    )
    settings = ("priority", "slots", "gather_ms", "settle_seconds")
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Lane.name],
            set_={column: statement.excluded[column] for column in settings},
            where=sa.or_(
                *(getattr(Lane, column) != statement.excluded[column] for column in settings)
            ),
        )
    )
    names = [spec.name for spec in specs]
    return {
        name: lane
        for lane, name in session.execute(sa.select(Lane.id, Lane.name).where(Lane.name.in_(names)))
    }


def pause(session: Session, lane: int, *, seconds: float | None, reason: str, actor: str) -> None:
    """Stop claims in a lane for `seconds`, or until `resume`; a longer pause is never shortened."""
    until = (
        sa.literal_column("'infinity'::timestamptz")
        if seconds is None
        else sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    )
    session.execute(
        sa.update(Lane)
        .where(Lane.id == lane, sa.func.coalesce(Lane.paused_until, sa.func.now()) < until)
        .values(paused_until=until, paused_reason=reason, paused_by=actor)
    )


def resume(session: Session, lane: int) -> None:
    """Let a lane work again."""
    session.execute(
        sa.update(Lane)
        .where(Lane.id == lane)
        .values(paused_until=None, paused_reason=None, paused_by=None)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLoad:
    """What stands in a lane: for status pages and metrics."""

    name: str
    lines: int
    rows: int
    leased: int
    blocked: int
    oldest_due: dt.datetime | None
    paused_reason: str | None


def loads(session: Session) -> list[LaneLoad]:
    """Measure every lane."""
    blocked = Line.blocked_by.is_not(None)
    paused = sa.case((Lane.paused_until > sa.func.now(), Lane.paused_reason))
    rows = session.execute(
        sa.select(
            Lane.name,
            sa.func.count(Line.key),
            sa.func.coalesce(sa.func.sum(Line.pending), 0),
            sa.func.count(Line.owner),
            sa.func.count().filter(blocked),
            sa.func.min(Line.due_at).filter(~blocked, Line.owner.is_(None)),
            paused,
        )
        .select_from(Lane)
        .outerjoin(Line, Line.lane == Lane.id)
        .group_by(Lane.id)
        .order_by(Lane.priority, Lane.name)
    )
    return [
        LaneLoad(
            name=name,
            lines=lines,
            rows=int(pending),
            leased=leased,
            blocked=blocked_lines,
            oldest_due=oldest,
            paused_reason=reason,
        )
        for name, lines, pending, leased, blocked_lines, oldest, reason in rows
    ]
