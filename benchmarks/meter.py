"""What a run costs: CPU and memory from /proc, messages from Redis, row writes from Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

from benchmarks.peaks import peak_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Sums since the processes began."""

    cpu: dict[str, float]
    messages: int
    rows: int


class Meter:
    """Reads what the processes of one way have used up, by name of their first process."""

    def __init__(self, roots: Mapping[str, int], redis: Redis, database: sa.Engine) -> None:
        self._roots = roots
        self._redis = redis
        self._database = database

    def read(self) -> Reading:
        """Read all sums."""
        return Reading(
            cpu={name: _cpu(pid) for name, pid in self._roots.items()},
            messages=self._messages(),
            rows=self._rows(),
        )

    def memory(self) -> dict[str, float]:
        """Return proportional memory in MB."""
        return {name: _memory(pid) for name, pid in self._roots.items()}

    def peak(self, name: str) -> float:
        """Return the most MB that one process of a family ever held."""
        return max(peak_of(one.pid) for one in _family(self._roots[name]))

    def _messages(self) -> int:
        """Count LPUSH, which is how every Celery message comes into its queue."""
        stats: dict[str, Any] = self._redis.info("commandstats")
        return int(stats.get("cmdstat_lpush", {}).get("calls", 0))

    def _rows(self) -> int:
        query = sa.text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        with self._database.connect() as connection:
            return int(connection.execute(query).scalar() or 0)


def _family(pid: int) -> list[psutil.Process]:
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def _cpu(pid: int) -> float:
    """Return seconds, those of ended children included."""
    used = 0.0
    for one in _family(pid):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent has it among its children's
        used += times.user + times.system + times.children_user + times.children_system
    return used


def _memory(pid: int) -> float:
    used = 0.0
    for one in _family(pid):
        try:
            used += one.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    return used
