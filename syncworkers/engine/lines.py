"""Lines: the queue. Enqueue, claim under a lease, fence, settle.

Workers lease lines, never rows, so two of them can never hold one entity, and a claim touches only
this narrow table however long the history of the work is.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.engine import breaker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lanes import LaneHandle

# The sub-select makes the insert order, and so the lock order, that of the keys. A line that only
# waits for its turn comes earlier for a row that may go now; one that backs off, or whose last call
# may still land, keeps its time.
_MEET = """
ON CONFLICT (lane, key) DO UPDATE SET pending = line.pending + excluded.pending,
       due_at = CASE WHEN line.attempts = 0 AND line.crashes = 0
                     THEN least(line.due_at, excluded.due_at) ELSE line.due_at END
"""
_ENQUEUE = sa.text(f"""
INSERT INTO line (lane, key, pending, due_at)
SELECT :lane, v.key, v.n, now() + make_interval(secs => :due_in)
  FROM unnest(CAST(:keys AS bigint[]), CAST(:counts AS int[])) v(key, n)
 ORDER BY v.key
{_MEET}
""")  # noqa: S608 - both parts are ours
ANNOUNCE = f"""
INSERT INTO line (lane, key, pending)
SELECT lane, line, count(*) FROM announced GROUP BY lane, line ORDER BY lane, line
{_MEET}
"""  # noqa: S608 - both parts are ours
"""`enqueue` as a part of another statement: its rows are `announced`, as (lane, line), due now.

That statement draws the rows' ids only when this part is through.
"""
# A hint, so a line that somebody holds is left alone: nobody ever waits here, or can deadlock.
_HASTEN = sa.text("""
WITH l AS MATERIALIZED (
  SELECT line.lane, line.key FROM line
    JOIN unnest(CAST(:lanes AS smallint[]), CAST(:keys AS bigint[])) v(lane, key)
      ON line.lane = v.lane AND line.key = v.key
   WHERE owner IS NULL AND attempts = 0 AND crashes = 0 AND due_at > now()
   FOR UPDATE OF line SKIP LOCKED)
UPDATE line SET due_at = now() FROM l WHERE line.lane = l.lane AND line.key = l.key
RETURNING line.lane
""")

# One claim at a time per lane: slots and pace are judged on a locked row.
_GATE = sa.text("""
SELECT slots, gather_ms, silences,
       coalesce(paused_until > now(), false) AS paused,
       extract(epoch FROM clock_timestamp() - claimed_at) * 1000 AS since_ms
  FROM lane WHERE id = :lane FOR NO KEY UPDATE
""")
_BATCHES = sa.text(
    "SELECT count(DISTINCT owner) FROM line WHERE lane = :lane AND owner IS NOT NULL"
)
_READY = sa.text("""
SELECT count(*) FROM (SELECT 1 FROM line WHERE lane = :lane AND owner IS NULL AND blocked_by IS NULL
                       AND due_at <= now() LIMIT :n) r
""")
_CLAIM = """
WITH l AS MATERIALIZED (
  SELECT key FROM line
   WHERE lane = :lane AND owner IS NULL AND blocked_by IS NULL AND due_at <= now() {only}
   ORDER BY due_at LIMIT :n FOR UPDATE SKIP LOCKED)
UPDATE line SET owner = :me, lease_until = now() + make_interval(secs => :lease), token = token + 1
 WHERE lane = :lane AND key = ANY (ARRAY(SELECT key FROM l))
RETURNING key, token, attempts, crashes
"""
_SUSPECT = sa.text("""
SELECT crashes FROM line WHERE lane = :lane AND owner IS NULL AND blocked_by IS NULL
   AND due_at <= now() AND crashes > 0 ORDER BY due_at LIMIT 1
""")
_CLAIM_CRASHED = sa.text(_CLAIM.format(only="AND crashes > 0 AND crashes = :crashes"))
_CLAIM_SOUND = sa.text(_CLAIM.format(only="AND crashes = 0"))
SUSPICION = 4
"""By so much fewer lines are claimed together for each time that a worker was lost with them."""
ALONE_AFTER = 3
"""So often lost with a worker, a line is claimed alone."""
_PACE = sa.text("UPDATE lane SET claimed_at = clock_timestamp() WHERE id = :lane")

_FENCE = sa.text("""
SELECT l.key, l.pending FROM line l
  JOIN unnest(CAST(:keys AS bigint[]), CAST(:tokens AS bigint[])) v(key, token) USING (key)
 WHERE l.lane = :lane AND l.key = ANY (CAST(:keys AS bigint[])) AND l.token = v.token
   AND l.owner = :me
 ORDER BY l.key FOR UPDATE OF l
""")
_DELETE = sa.text("DELETE FROM line WHERE lane = :lane AND key = ANY (CAST(:keys AS bigint[]))")
_RETURN = sa.text("""
UPDATE line SET owner = NULL, lease_until = NULL, pending = pending - v.finished,
       due_at = now() + make_interval(secs => v.due_in), attempts = v.attempts,
       crashes = v.crashes, blocked_by = v.blocked_by
  FROM unnest(CAST(:keys AS bigint[]), CAST(:finished AS int[]), CAST(:due_in AS float8[]),
              CAST(:attempts AS int[]), CAST(:crashes AS int[]), CAST(:blocked_by AS bigint[]))
       v(key, finished, due_in, attempts, crashes, blocked_by)
 WHERE line.lane = :lane AND line.key = v.key
""")


def enqueue(session: Session, lane: int, keys: Iterable[int], *, due_in: float = 0.0) -> None:
    """Announce one row per key (repeats count), before the rows' own ids are drawn.

    A row whose id is drawn under its line's lock can never be overtaken by a later one. `due_in`
    is in seconds, for rows that cannot go yet; `hasten` brings them forward.
    """
    counts = Counter(keys)
    if counts:
        session.execute(
            _ENQUEUE,
            {
                "lane": lane,
                "keys": list(counts.keys()),
                "counts": list(counts.values()),
                "due_in": due_in,
            },
        )


def hasten(session: Session, lines: Sequence[tuple[int, int]]) -> set[int]:
    """Make waiting lines, given as (lane, key), due now; return the lanes that have some.

    A hint: a line that is held just now, backs off, or may have a call on its way keeps its time.
    """
    if not lines:
        return set()
    lanes, keys = zip(*lines, strict=True)
    hastened = session.execute(_HASTEN, {"lanes": list(lanes), "keys": list(keys)})
    return {row.lane for row in hastened}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedLine:
    """One entity's line in our hands; `rows` are its first open rows, in order, once read."""

    key: int
    token: int
    attempts: int
    crashes: int
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A leased batch. `ends` is monotonic: after it no call may be started."""

    lane: LaneHandle
    owner: str
    lines: tuple[ClaimedLine, ...]
    full: bool
    """There may be more: another worker should look."""
    ends: float = field(default=0.0)

    def remaining(self) -> float:
        """Return the seconds of the work budget that are left."""
        return max(0.0, self.ends - time.monotonic())


def claim(session: Session, lane: LaneHandle, *, worker: str, limit: int | None = None) -> Claim:
    """Lease up to a batch of ready lines; once that is committed, `read` has their rows.

    Lines that were lost with a worker are claimed apart from sound ones, the more often that befell
    them the fewer at a time, and at last alone: poison is found, and the innocent get on.
    Returns an empty claim while the lane is paused, its slots are taken, or its pace says wait.
    """
    started = time.monotonic()
    size = limit or lane.spec.batch
    owner = f"{worker}/{uuid.uuid4().hex[:12]}"
    values = {"lane": lane.id, "me": owner, "lease": lane.spec.lease}
    leased: Sequence[Any] = ()
    if size := _open_gate(session, lane, size):
        claims = [_claim_crashed, _claim_sound]
        if first_sound():
            claims.reverse()
        leased = claims[0](session, values, size) or claims[1](session, values, size)
    if not leased:
        return Claim(lane=lane, owner=owner, lines=(), full=False)
    if lane.spec.gather_ms:
        session.execute(_PACE, {"lane": lane.id})
    return Claim(
        lane=lane,
        owner=owner,
        lines=tuple(
            ClaimedLine(
                key=line.key,
                token=line.token,
                attempts=line.attempts,
                crashes=line.crashes,
            )
            for line in leased
        ),
        full=len(leased) == size or any(line.crashes for line in leased),
        ends=started + lane.spec.work_budget,
    )


def read(session: Session, claimed: Claim) -> Claim:
    """Return the claim with the first open rows of its lines.

    In a transaction of its own: it sees rows committed while the lease was taken, and nobody who
    wants to claim waits for it.
    """
    if not claimed.lines:
        return claimed
    rows = _read_rows(session, claimed.lane, [line.key for line in claimed.lines])
    return replace(
        claimed,
        lines=tuple(replace(line, rows=tuple(rows.get(line.key, ()))) for line in claimed.lines),
    )


def first_sound() -> bool:
    """Toss a coin: suspects and sound lines take turns, so that neither waits for the other's end.

    A lane that is always busy would never come to its suspects, and many suspects, claimed alone,
    would keep all others waiting.
    """
    return random.random() < 0.5  # noqa: S311 - nothing secret


def _claim_sound(session: Session, values: Mapping[str, Any], size: int) -> Sequence[Any]:
    return session.execute(_CLAIM_SOUND, {**values, "n": size}).all()


def _claim_crashed(session: Session, values: Mapping[str, Any], size: int) -> Sequence[Any]:
    crashes = session.execute(_SUSPECT, {"lane": values["lane"]}).scalar()
    if crashes is None:
        return ()
    together = 1 if crashes >= ALONE_AFTER else max(1, size // SUSPICION**crashes)
    return session.execute(_CLAIM_CRASHED, {**values, "crashes": crashes, "n": together}).all()


def _open_gate(session: Session, lane: LaneHandle, size: int) -> int:
    """Return how many lines may be claimed now."""
    ready = session.execute(_READY, {"lane": lane.id, "n": size}).scalar_one()
    if not ready:
        return 0  # the cheap way out, without the lane's lock
    gate = session.execute(_GATE, {"lane": lane.id}).one()
    if gate.paused:
        return 0
    under_way = session.execute(_BATCHES, {"lane": lane.id}).scalar_one()
    if gate.silences >= breaker.PROBE_FROM:
        return 0 if under_way else 1
    if under_way >= gate.slots:
        return 0
    return size if gate.since_ms >= gate.gather_ms or ready >= size else 0


def _read_rows(
    session: Session, lane: LaneHandle, keys: list[int]
) -> dict[int, list[Mapping[str, Any]]]:
    read = sa.text(f"""
    SELECT w.* FROM unnest(CAST(:keys AS bigint[])) k CROSS JOIN LATERAL
      (SELECT * FROM {lane.work.table.name}
        WHERE lane = :lane AND line = k AND state = 'open' ORDER BY id LIMIT :depth) w
    """)  # noqa: S608 - the table name is ours
    found: dict[int, list[Mapping[str, Any]]] = {}
    values = {"keys": keys, "lane": lane.id, "depth": lane.spec.depth}
    for row in session.execute(read, values).mappings():
        found.setdefault(row["line"], []).append(dict(row))
    return found


def fence(session: Session, claimed: Claim, lines: Sequence[ClaimedLine]) -> dict[int, int]:
    """Lock the lines that are still ours; return their pending counts by key.

    The first statement of every outcome: a line that is missing here lost its lease to somebody
    else, and must contribute no write at all.
    """
    found = session.execute(
        _FENCE,
        {
            "lane": claimed.lane.id,
            "me": claimed.owner,
            "keys": [line.key for line in lines],
            "tokens": [line.token for line in lines],
        },
    )
    return {row.key: row.pending for row in found}


def owners(session: Session, lane: int) -> set[str]:
    """Name the batches under way in a lane; each claim has an owner of its own."""
    held = sa.text("SELECT DISTINCT owner FROM line WHERE lane = :lane AND owner IS NOT NULL")
    return {row.owner for row in session.execute(held, {"lane": lane})}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What became of one claimed line.

    `finished` rows left the line (ended or parked). `due_in` is in seconds. `attempts` is the new
    count of failures in a row at its head; `crashes` likewise. `blocked_by` is a case id: the line
    stays, even empty, so that successors wait behind the case.
    """

    key: int
    finished: int
    due_in: float = 0.0
    attempts: int = 0
    crashes: int = 0
    blocked_by: int | None = None


def block(session: Session, lane: int, key: int, case: int) -> None:
    """Let a line, even an empty one, wait behind a case, unless it waits behind another already."""
    session.execute(
        sa.text("""
        INSERT INTO line (lane, key, pending, blocked_by) VALUES (:lane, :key, 0, :case)
        ON CONFLICT (lane, key)
        DO UPDATE SET blocked_by = coalesce(line.blocked_by, excluded.blocked_by)"""),
        {"lane": lane, "key": key, "case": case},
    )


def unblock(session: Session, lane: int, key: int) -> None:
    """Let a line work again after its case was decided; an empty one goes away."""
    session.execute(
        sa.text(
            "UPDATE line SET blocked_by = NULL, due_at = now() WHERE lane = :lane AND key = :key"
        ),
        {"lane": lane, "key": key},
    )
    session.execute(
        sa.text(
            "DELETE FROM line WHERE lane = :lane AND key = :key AND pending = 0 AND owner IS NULL"
        ),
        {"lane": lane, "key": key},
    )


def settle(
    session: Session, claimed: Claim, pending: Mapping[int, int], results: Sequence[LineResult]
) -> bool:
    """Give the lines back in the transaction of their effects; delete those with nothing left.

    Returns whether a line with work left is ready at once: a wake-up is due then.
    """
    kept = [
        result
        for result in results
        if pending[result.key] > result.finished or result.blocked_by is not None
    ]
    done = sorted({result.key for result in results} - {result.key for result in kept})
    if done:
        session.execute(_DELETE, {"lane": claimed.lane.id, "keys": done})
    if kept:
        session.execute(
            _RETURN,
            {
                "lane": claimed.lane.id,
                "keys": [result.key for result in kept],
                "finished": [result.finished for result in kept],
                "due_in": [result.due_in for result in kept],
                "attempts": [result.attempts for result in kept],
                "crashes": [result.crashes for result in kept],
                "blocked_by": [result.blocked_by for result in kept],
            },
        )
    return any(result.due_in <= 0 and result.blocked_by is None for result in kept)
