"""Claims of 100 lines by four processes, with little or much finished work in the table."""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from benchmarks import load
from benchmarks.stage import address
from syncworkers.bootstrap import build_fleet
from syncworkers.engine import lines
from syncworkers.settings import load_settings
from syncworkers.store import inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Barrier

    from benchmarks.ways import Way

CLAIMERS = 4
BATCH = 100
SOUND, STALE, SKEWED, OLD = "sound", "stale statistics", "one has a tenth", "old snapshot"
CONDITIONS = (SOUND, STALE, SKEWED, OLD)
"""Statistics up to date; taken of an empty queue; one entity has a tenth of all rows; and a
snapshot is held open while as many lines came and went before."""
_ROWS = """
INSERT INTO message (lane, line, partner, source, external_id, topic, kind, entity,
                     correlation_id, state, finished_at)
SELECT :lane, CASE WHEN i <= :hot THEN 1 ELSE i END, 'shopify-us', 'bench', v.state || i,
       'orders/create', 'order', CAST(i AS text),
       gen_random_uuid(), v.state, CASE WHEN v.state = 'applied' THEN now() END
  FROM (VALUES (CAST(:state AS text))) v(state),
       generate_series(CAST(:first AS int), CAST(:count AS int)) i
"""
_LINES = """
INSERT INTO line (lane, key, pending)
SELECT :lane, CASE WHEN i <= :hot THEN 1 ELSE i END k, count(*)
  FROM generate_series(1, CAST(:count AS int)) i GROUP BY k
"""
# The two statements of a claim, with nothing around them.
_RAW_CLAIM = """
WITH l AS MATERIALIZED (
  SELECT key FROM line WHERE lane = %(lane)s AND owner IS NULL AND blocked_by IS NULL
     AND due_at <= now() ORDER BY due_at LIMIT %(n)s FOR UPDATE SKIP LOCKED)
UPDATE line SET owner = %(me)s, lease_until = now() + interval '1 minute', token = token + 1
 WHERE lane = %(lane)s AND key = ANY (ARRAY(SELECT key FROM l)) RETURNING key
"""
_RAW_READ = """
SELECT w.* FROM unnest(%(keys)s::bigint[]) k CROSS JOIN LATERAL
  (SELECT * FROM message WHERE lane = %(lane)s AND line = k AND state = 'open'
    ORDER BY id LIMIT 10) w
"""


def prepare(way: Way, laid: int, finished: int) -> None:
    """Add finished work to what is laid down, in one statement."""
    with way.database.begin() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("ALTER TABLE line SET (autovacuum_analyze_threshold = 1000000)"))
        _rows(connection, "applied", laid + 1, finished)
    _settle(way)


def measure(way: Way, count: int, condition: str = SOUND) -> dict[str, float]:
    """Drain open lines by the engine's claims, then as many by the bare statements."""
    with _condition(way, count, condition):
        _fill(way, count, condition)
        took, seconds = _by_all(_drain)
        _fill(way, count, condition)
        floor, _ = _by_all(_drain_raw)
    return {
        "claim p50 ms": load.percentile(took, 0.5),
        "claim p99 ms": load.percentile(took, 0.99),
        "rows/s claimed and ended": count / seconds,
        "bare claim p50 ms": load.percentile(floor, 0.5),
        "bare claim p99 ms": load.percentile(floor, 0.99),
    }


@contextmanager
def _condition(way: Way, count: int, condition: str) -> Iterator[None]:
    if condition != OLD:
        yield
        return
    with psycopg.connect(_url(way)) as onlooker:
        onlooker.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        onlooker.execute("SELECT count(*) FROM line").fetchone()
        _fill(way, count, condition)
        _by_all(_drain)
        yield


def _fill(way: Way, count: int, condition: str) -> None:
    hot = count // 10 if condition == SKEWED else 0
    with way.database.begin() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("DELETE FROM message WHERE external_id LIKE 'open%'"))
        connection.execute(sa.text("DELETE FROM line"))
    if condition == STALE:
        _settle(way)
    with way.database.begin() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        values = {"lane": _lane(connection), "count": count, "hot": hot}
        connection.execute(sa.text(_LINES), values)
        _rows(connection, "open", 1, count, hot)
    if condition != STALE:
        _settle(way)


def _rows(connection: sa.Connection, state: str, first: int, last: int, hot: int = 0) -> None:
    values = {"lane": _lane(connection), "first": first, "count": last, "state": state, "hot": hot}
    connection.execute(sa.text(_ROWS), values)


def _settle(way: Way) -> None:
    with way.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text("VACUUM ANALYZE message, line"))


def _lane(connection: sa.Connection) -> int:
    query = sa.text("SELECT id FROM lane WHERE name = 'orders.process'")
    return int(connection.execute(query).scalar_one())


def _url(way: Way) -> str:
    return address(way.database).replace("+psycopg", "")


def _by_all(drain: Callable[[Barrier], tuple[list[float], float]]) -> tuple[list[float], float]:
    """Let processes drain side by side; return all times in ms, and the slowest's seconds."""
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Manager()
    barrier = together.Barrier(CLAIMERS)
    try:
        with spawn.Pool(CLAIMERS) as pool:
            parts = pool.map(drain, [barrier] * CLAIMERS, chunksize=1)
    finally:
        together.shutdown()
    return sorted(one for part, _ in parts for one in part), max(seconds for _, seconds in parts)


def _drain(barrier: Barrier) -> tuple[list[float], float]:
    fleet = build_fleet(load_settings(), worker=f"bench-{os.getpid()}")
    lane = fleet.lanes["orders.process"]
    with fleet.session() as session:
        session.execute(sa.text("SELECT 1"))
    barrier.wait()
    first = time.perf_counter()
    took: list[float] = []
    while True:
        begun = time.perf_counter()
        with fleet.session() as session:
            claimed = lines.claim(session, lane, worker=fleet.worker)
        with fleet.session() as session:
            claimed = lines.read(session, claimed)
        if not claimed.lines:
            fleet.database.dispose()
            return took, time.perf_counter() - first
        took.append((time.perf_counter() - begun) * 1000)
        with fleet.session() as session:
            pending = lines.fence(session, claimed, claimed.lines)
            rows = [row["id"] for line in claimed.lines for row in line.rows]
            inbox.finish(session, [inbox.Ending(id=one, state="applied") for one in rows])
            done = [
                lines.LineResult(key=line.key, finished=len(line.rows)) for line in claimed.lines
            ]
            lines.settle(session, claimed, pending, done)


def _drain_raw(barrier: Barrier) -> tuple[list[float], float]:
    took: list[float] = []
    url = os.environ["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT id FROM lane WHERE name = 'orders.process'").fetchone()
        values = {"lane": found[0] if found else 0, "n": BATCH, "me": str(os.getpid())}
        connection.commit()
        barrier.wait()
        first = time.perf_counter()
        while True:
            begun = time.perf_counter()
            keys = [row[0] for row in connection.execute(_RAW_CLAIM, values)]
            connection.execute(_RAW_READ, {**values, "keys": keys}).fetchall()
            connection.commit()
            if not keys:
                return took, time.perf_counter() - first
            took.append((time.perf_counter() - begun) * 1000)
