"""Durable acks: how fast the gateway alone takes webhooks, beside raw commits of as much."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from benchmarks import load
from benchmarks.stage import address

if TYPE_CHECKING:
    from benchmarks.ways import Way

CONNECTIONS = 16
PROCESSES = 2
"""The raw commits come from several processes, so that Python's lock is not what is measured."""


def measure(way: Way, count: int, seed: int) -> dict[str, float]:
    """Send webhooks to a gateway without workers behind it."""
    wanted = load.requests(load.bodies(count + 64, seed), f"ack-{seed}")
    load.send(way.port, wanted[:64])
    before = way.meter.read()
    acks = load.send(way.port, wanted[64:])
    after = way.meter.read()
    cpu = {name: (after.cpu[name] - before.cpu[name]) * 1000 / count for name in after.cpu}
    return {
        "acks/s": acks.per_second,
        "p50 ms": acks.percentile(0.5),
        "p99 ms": acks.percentile(0.99),
        "CPU ms/ack": sum(cpu.values()),
        **{f"CPU ms/ack: {name}": used for name, used in cpu.items()},
    }


def measure_floor(database: sa.Engine, count: int, seed: int) -> dict[str, float]:
    """Commit as many rows of one order each, on as many connections."""
    with database.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS raw"))
        connection.execute(
            sa.text("CREATE TABLE raw (id bigint GENERATED ALWAYS AS IDENTITY, body bytea)")
        )
    url = address(database).replace("+psycopg", "")
    rows = load.bodies(count, seed)
    share = partial(_commit_share, url)
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(share, [rows[:64]] * PROCESSES))  # they are up now
        begun = time.perf_counter()
        parts = pool.map(share, [rows[place::PROCESSES] for place in range(PROCESSES)])
        latencies = sorted(one for part in parts for one in part)
        seconds = time.perf_counter() - begun
    return {
        "commits/s": count / seconds,
        "p50 ms": load.percentile(latencies, 0.5),
        "p99 ms": load.percentile(latencies, 0.99),
    }


def _commit_share(url: str, rows: list[bytes]) -> list[float]:
    threads = CONNECTIONS // PROCESSES
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(partial(_commit, url), [rows[place::threads] for place in range(threads)])
        return [one for part in parts for one in part]


def _commit(url: str, rows: list[bytes]) -> list[float]:
    latencies = []
    with psycopg.connect(url, autocommit=True) as connection:
        for row in rows:
            begun = time.perf_counter()
            connection.execute("INSERT INTO raw (body) VALUES (%b)", [row])
            latencies.append((time.perf_counter() - begun) * 1000)
    return latencies
