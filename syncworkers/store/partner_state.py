"""Partner state: whether we write to a partner or only watch it, and what rests until we do.

Whoever lets deliveries rest holds the partner's row (`hold`), and whoever changes the mode waits
for them: nothing can come to rest after its partner went live.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


class Mode(StrEnum):
    """What we do with what is owed to a partner."""

    OBSERVE = "observe"
    """All is read, mapped, decided and planned; nothing is written there."""
    LIVE = "live"


class PartnerState(Base):
    """The mode of one partner; without a row it is live."""

    __tablename__ = "partner_state"

    partner: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    since: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    changed_by: Mapped[str]
    reason: Mapped[str]
    mistrusted_until: Mapped[dt.datetime | None]
    """Until then a new delivery to it begins as unknown: an earlier integration may have done it.
    """

    __table_args__ = (one_of("mode", tuple(Mode)),)


def rests_until(partner: str) -> str:
    """Name what a planned delivery waits for."""
    return f"live:{partner}"


def modes(session: Session) -> dict[str, PartnerState]:
    """Return the states that were ever set, by partner."""
    return {one.partner: one for one in session.scalars(sa.select(PartnerState))}


def mode(session: Session, partner: str) -> Mode:
    """Return a partner's mode as this statement sees it."""
    stored = session.scalar(sa.select(PartnerState.mode).where(PartnerState.partner == partner))
    return Mode(stored or Mode.LIVE)


def hold(session: Session, partner: str) -> Mode:
    """Return a partner's mode, which cannot change before this transaction ends."""
    stored = session.scalar(
        sa.select(PartnerState.mode)
        .where(PartnerState.partner == partner)
        .with_for_update(read=True)
    )
    return Mode(stored or Mode.LIVE)


def lock(session: Session, partner: str) -> PartnerState | None:
    """Lock a partner's state; None where it was never set."""
    return session.get(PartnerState, partner, with_for_update=True)


def change(  # noqa: PLR0913 - who, what and why, all named
    session: Session, partner: str, mode: Mode, *, actor: str, reason: str, mistrust: float
) -> None:
    """Set the mode; new deliveries are mistrusted for `mistrust` seconds from now."""
    until = sa.func.now() + dt.timedelta(seconds=mistrust) if mistrust else None
    values = {
        "mode": mode.value,
        "since": sa.func.now(),
        "changed_by": actor,
        "reason": reason,
        "mistrusted_until": until,
    }
    session.execute(
        insert(PartnerState)
        .values(partner=partner, **values)
        .on_conflict_do_update(index_elements=["partner"], set_=values)
    )


def mistrusted(session: Session, partners: Collection[str]) -> dict[str, dt.datetime]:
    """Return the present time by partner where a new effect may be there by others' doing."""
    rows = session.execute(
        sa.select(PartnerState.partner, sa.func.now().label("now")).where(
            PartnerState.partner.in_(partners),
            (PartnerState.mode == Mode.OBSERVE.value)
            | (PartnerState.mistrusted_until > sa.func.now()),
        )
    )
    return {row.partner: row.now for row in rows}


# The rows first, then their lines in order, as the sweep brings parked rows back. Whatever is owed
# was planned by us and may have been done by others, so all of it is looked up first.
_ANNOUNCE = sa.text("""
INSERT INTO line (lane, key, pending)
SELECT lane, line, count(*) FROM delivery
 WHERE partner = :partner AND state = 'parked' AND waiting_for = :key
 GROUP BY lane, line ORDER BY lane, line
ON CONFLICT (lane, key) DO UPDATE SET pending = line.pending + excluded.pending,
       due_at = CASE WHEN line.attempts = 0 AND line.crashes = 0 THEN now() ELSE line.due_at END
""")
_RELEASE = sa.text("""
UPDATE delivery SET state = 'open', waiting_for = NULL, due_at = NULL, waits = 0,
       unknown_since = coalesce(unknown_since, now())
 WHERE partner = :partner AND state = 'parked' AND waiting_for = :key
""")
_MISTRUST = sa.text("""
UPDATE delivery SET unknown_since = now()
 WHERE partner = :partner AND state IN ('open', 'dead') AND unknown_since IS NULL
""")
_LOCK_RESTING = sa.text("""
SELECT count(*) FROM (SELECT 1 FROM delivery WHERE partner = :partner AND state = 'parked'
   AND waiting_for = :key ORDER BY id FOR UPDATE) d
""")


def release(session: Session, partner: str) -> int:
    """Bring all that rests back into its lines, to be looked up first; return how much that is.

    The caller has locked the partner's state, so nothing comes to rest meanwhile.
    """
    values = {"partner": partner, "key": rests_until(partner)}
    count: int = session.execute(_LOCK_RESTING, values).scalar_one()
    session.execute(_ANNOUNCE, values)
    session.execute(_RELEASE, values)
    session.execute(_MISTRUST, {"partner": partner})
    return count


_REST = sa.text("""
UPDATE delivery SET state = 'parked', waiting_for = :key, waits = least(waits + 1, 1000),
       due_at = now() + make_interval(secs => :wait)
 WHERE id = ANY (:ids) AND state = 'open'
""")


def rest(session: Session, partner: str, ids: Sequence[int], *, wait: float) -> None:
    """Let deliveries rest as planned; the caller holds the partner, and counts them as finished."""
    if ids:
        values = {"key": rests_until(partner), "ids": list(ids), "wait": wait}
        session.execute(_REST, values)


# What an observed partner was to do is due anew once we speak to it.
_RENEW = sa.text("""
UPDATE expectation e SET due_at = greatest(e.due_at, now() + make_interval(secs => v.within))
  FROM unnest(CAST(:names AS text[]), CAST(:withins AS float8[])) v(name, within)
 WHERE e.partner = :partner AND e.state = 'open' AND e.name = v.name
""")


def renew_expectations(session: Session, partner: str, within: Mapping[str, float]) -> None:
    """Give what this partner is expected to do its time from now on; seconds by name."""
    names = sorted(within)
    values = {"names": names, "withins": [within[name] for name in names], "partner": partner}
    session.execute(_RENEW, values)


def resting(session: Session) -> dict[str, int]:
    """Return how many deliveries rest, by partner."""
    rows = session.execute(
        sa.text("""
        SELECT partner, count(*) AS n FROM delivery
         WHERE state = 'parked' AND waiting_for LIKE 'live:%' GROUP BY 1""")
    )
    return {row.partner: row.n for row in rows}
