"""Drive a demo: have orders placed, watch them pass, know when all is settled."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.bootstrap import link_redis

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.flows.fleet import Fleet
    from syncworkers.supervisor.environment import Ports

PATIENCE = 90.0
"""Seconds a demo may take beyond placing its orders, and per order half a tenth more."""
TICK = 0.25
STORE = "shopify-us"


class DemoError(Exception):
    """The demo could not be run; the text says why."""


class Books:
    """The control faces of the simulated partners."""

    def __init__(self, ports: Ports) -> None:
        self._shop = f"http://127.0.0.1:{ports.shopify}/_sandbox"
        self._erp = f"http://127.0.0.1:{ports.dynamics365}/_sandbox"

    def shop(self, what: str) -> dict[str, Any]:
        """Read the shop's `books` or `progress`."""
        return _get(f"{self._shop}/{what}")

    def erp(self, what: str) -> dict[str, Any]:
        """Read the ERP's `books` or `progress`."""
        return _get(f"{self._erp}/{what}")

    def place(self, plan: dict[str, Any]) -> None:
        """Have orders placed."""
        body = json.dumps(plan).encode()
        request = urllib.request.Request(f"{self._shop}/orders", body)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10.0):  # noqa: S310 - loopback
            return


def _get(address: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(address, timeout=10.0) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.loads(answer.read(), parse_float=Decimal)
    except (urllib.error.URLError, OSError) as error:
        message = f"a simulated partner does not answer: {error}"
        raise DemoError(message) from error
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where everything stands at one moment."""

    placed: int
    booked: int
    cancelled: int
    open_lines: int
    faults: dict[str, int]
    seconds: float


class Run:
    """One demo, from the first order to rest."""

    def __init__(self, fleet: Fleet, books: Books, redis_url: str) -> None:
        self._fleet = fleet
        self._books = books
        self._redis = link_redis(redis_url)
        self._began = 0.0
        self._orders = 0
        self._placing = 0.0
        self._writes_before = 0
        self._published_before: dict[str, int] = {}

    def place(self, orders: int, *, seed: int, rate: float) -> float:
        """Begin; return the monotonic time of it."""
        self._writes_before = self._count_writes()
        self._published_before = self._count_published()
        self._orders = orders
        self._placing = orders / rate
        self._began = time.monotonic()
        self._books.place({"count": orders, "seed": seed, "rate": rate})
        return self._began

    def wait(self, tend: Callable[[], None], show: Callable[[Standing], None]) -> bool:
        """Wait until nothing is under way any more; say whether that came about in time."""
        end = self._began + self._placing + PATIENCE + self._orders * 0.05
        quiet_since: dt.datetime | None = None
        while time.monotonic() < end:
            tend()
            shop, erp = self._books.shop("progress"), self._books.erp("progress")
            open_lines, position, now = self._look()
            show(self._standing(shop, erp, open_lines))
            if shop["busy"] or shop["webhooks_pending"]:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            # What webhooks lost is found by the poll: rest is only what a later poll has seen.
            polled = quiet_since is not None and position is not None and position > quiet_since
            if polled and not open_lines:
                return True
            threading.Event().wait(TICK)
        return False

    def row_writes(self) -> int:
        """Return the rows written since the first order."""
        threading.Event().wait(1.2)  # Postgres gathers its statistics for a second
        return self._count_writes() - self._writes_before

    def published(self) -> dict[str, int]:
        """Return the Celery messages since the first order, by task."""
        now = self._count_published()
        return {task: count - self._published_before.get(task, 0) for task, count in now.items()}

    def _standing(self, shop: dict[str, Any], erp: dict[str, Any], open_lines: int) -> Standing:
        faults = {f"{STORE} {kind}": count for kind, count in shop["faults"].items()}
        faults |= {f"d365-main {kind}": count for kind, count in erp["faults"].items()}
        return Standing(
            placed=shop["placed"],
            booked=erp["orders"],
            cancelled=erp["cancelled"],
            open_lines=open_lines,
            faults=faults,
            seconds=time.monotonic() - self._began,
        )

    def _look(self) -> tuple[int, dt.datetime | None, dt.datetime]:
        query = sa.text(
            "SELECT (SELECT count(*) FROM line),"
            " (SELECT position FROM cursor WHERE partner = :store AND resource = 'order'), now()"
        )
        with self._fleet.session() as session:
            lines, position, now = session.execute(query, {"store": STORE}).one()
        return lines, position, now

    def _count_writes(self) -> int:
        query = sa.text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        with self._fleet.session() as session:
            return int(session.execute(query).scalar_one() or 0)

    def _count_published(self) -> dict[str, int]:
        counted: dict[Any, Any] = self._redis.hgetall("syncworkers:published")
        return {task.decode(): int(count) for task, count in counted.items()}
