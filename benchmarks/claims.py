"""Claims of 100 lines by several claimers, with little or much finished work in the table."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
    from collections.abc import Callable

    from benchmarks.ways import Way
    from syncworkers.flows.fleet import Fleet

CLAIMERS = 4
BATCH = 100
_ROWS = """
INSERT INTO message (lane, line, partner, source, external_id, topic, kind, entity,
                     correlation_id, state, finished_at)
SELECT :lane, i, 'shopify-us', 'bench', v.state || i, 'orders/create', 'order', CAST(i AS text),
       gen_random_uuid(), v.state, CASE WHEN v.state = 'applied' THEN now() END
  FROM (VALUES (CAST(:state AS text))) v(state),
       generate_series(CAST(:first AS int), CAST(:count AS int)) i
"""
_LINES = """
INSERT INTO line (lane, key, pending)
SELECT :lane, i, 1 FROM generate_series(1, CAST(:count AS int)) i
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
        lane = _lane(connection)
        values = {"lane": lane, "first": laid + 1, "count": finished, "state": "applied"}
        connection.execute(sa.text(_ROWS), values)
    with way.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text("VACUUM ANALYZE message"))


def measure(way: Way, count: int) -> dict[str, float]:
    """Drain open lines by the engine's claims, then as many by the bare statements."""
    _fill(way, count)
    fleet = build_fleet(load_settings(), worker="bench")
    try:
        took, seconds = _by_all(partial(_drain, fleet))
    finally:
        fleet.database.dispose()
    _fill(way, count)
    floor, _ = _by_all(partial(_drain_raw, way))
    return {
        "claim p50 ms": load.percentile(took, 0.5),
        "claim p99 ms": load.percentile(took, 0.99),
        "rows/s claimed and ended": count / seconds,
        "bare claim p50 ms": load.percentile(floor, 0.5),
        "bare claim p99 ms": load.percentile(floor, 0.99),
    }


def _lane(connection: sa.Connection) -> int:
    query = sa.text("SELECT id FROM lane WHERE name = 'orders.process'")
    return int(connection.execute(query).scalar_one())


def _fill(way: Way, count: int) -> None:
    with way.database.begin() as connection:
        lane = _lane(connection)
        connection.execute(sa.text("DELETE FROM message WHERE external_id LIKE 'open%'"))
        connection.execute(sa.text("DELETE FROM line"))
        connection.execute(sa.text(_LINES), {"lane": lane, "count": count})
        connection.execute(
            sa.text(_ROWS), {"lane": lane, "first": 1, "count": count, "state": "open"}
        )


def _by_all(drain: Callable[[], list[float]]) -> tuple[list[float], float]:
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLAIMERS) as pool:
        parts = [pool.submit(drain) for _ in range(CLAIMERS)]
        took = sorted(one for part in parts for one in part.result())
    return took, time.perf_counter() - begun


def _drain(fleet: Fleet) -> list[float]:
    lane = fleet.lanes["orders.process"]
    took: list[float] = []
    while True:
        begun = time.perf_counter()
        with fleet.session() as session:
            claimed = lines.claim(session, lane, worker=f"bench-{threading.get_ident()}")
        if not claimed.lines:
            return took
        took.append((time.perf_counter() - begun) * 1000)
        with fleet.session() as session:
            pending = lines.fence(session, claimed, claimed.lines)
            rows = [row["id"] for line in claimed.lines for row in line.rows]
            inbox.finish(session, [inbox.Ending(id=one, state="applied") for one in rows])
            done = [lines.LineResult(key=line.key, finished=1) for line in claimed.lines]
            lines.settle(session, claimed, pending, done)


def _drain_raw(way: Way) -> list[float]:
    took: list[float] = []
    with psycopg.connect(address(way.database).replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT id FROM lane WHERE name = 'orders.process'").fetchone()
        values = {"lane": found[0] if found else 0, "n": BATCH, "me": str(threading.get_ident())}
        connection.commit()
        while True:
            begun = time.perf_counter()
            keys = [row[0] for row in connection.execute(_RAW_CLAIM, values)]
            connection.execute(_RAW_READ, {**values, "keys": keys}).fetchall()
            connection.commit()
            if not keys:
                return took
            took.append((time.perf_counter() - begun) * 1000)
