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
from syncworkers.canonical.kinds import Kind
from syncworkers.flows.pickup import pick_up
from syncworkers.flows.poll import poll
from syncworkers.supervisor.simulators import SIMULATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.flows.fleet import Fleet
    from syncworkers.supervisor.environment import Ports

PATIENCE = 90.0
"""Seconds a demo may take beyond placing its orders, and per order half a tenth more."""
TICK = 0.25
POLLED = tuple(
    (one.partner, {"store": Kind.ORDER, "warehouse": Kind.SHIPMENT, "erp": Kind.INVOICE}[one.role])
    for one in SIMULATORS
    if not one.speaks_sftp
)
"""What polls read."""
FILED = tuple(one.partner for one in SIMULATORS if one.speaks_sftp)
"""Whose files are picked up."""


class DemoError(Exception):
    """The demo could not be run; the text says why."""


class Books:
    """The control faces of the simulated partners, by partner name."""

    def __init__(self, ports: Ports) -> None:
        self._faces = {
            name: f"http://127.0.0.1:{port}/_sandbox" for name, port in ports.partners.items()
        }

    @property
    def faces(self) -> dict[str, str]:
        """Return the addresses of the control faces."""
        return self._faces

    def read(self, what: str) -> dict[str, dict[str, Any]]:
        """Read everybody's `books` or `progress`."""
        return {name: _get(f"{face}/{what}") for name, face in self._faces.items()}

    def place(self, orders: int, *, seed: int, rate: float) -> None:
        """Have orders placed: at each store its share of them, all at `rate` a second together."""
        for store, count in _shares(orders).items():
            plan = {"count": count, "seed": seed, "rate": rate * count / orders}
            address = f"{self._faces[store]}/orders"
            body = json.dumps(plan).encode()
            request = urllib.request.Request(address, body)  # noqa: S310 - loopback
            with urllib.request.urlopen(request, timeout=10.0):  # noqa: S310 - loopback
                pass


def _shares(orders: int) -> dict[str, int]:
    """Divide orders among the stores; what does not divide goes to the first."""
    stores = [one for one in SIMULATORS if one.role == "store"]
    whole = sum(one.share for one in stores)
    counts = {one.partner: orders * one.share // whole for one in stores}
    counts[stores[0].partner] += orders - sum(counts.values())
    return {store: count for store, count in counts.items() if count}


def _get(address: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(address, timeout=60.0) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.loads(answer.read(), parse_float=Decimal)
    except (urllib.error.URLError, OSError) as error:
        message = f"a simulated partner does not answer: {error}"
        raise DemoError(message) from error
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Headway:
    """How far everything is at one moment."""

    placed: int
    booked: int
    shipped: int
    delivered: int
    invoiced: int
    told: int
    """Fulfilments at the store."""
    open_lines: int
    faults: dict[str, int]
    seconds: float


def total(progress: Mapping[str, Mapping[str, Any]], what: str, *, role: str = "") -> int:
    """Add up a count over all partners, or those of a role; who does not count it has none."""
    roles = {one.partner: one.role for one in SIMULATORS}
    return sum(one.get(what, 0) for name, one in progress.items() if role in {"", roles[name]})


def count_faults(books: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Return what was injected, by partner and kind."""
    return {
        f"{name} {kind}": count
        for name, book in books.items()
        for kind, count in book["faults"].items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What our own database still has to do, at `now`."""

    open_lines: int
    polled: dt.datetime | None
    """Up to when every partner has been polled."""
    now: dt.datetime


def _is_busy(progress: dict[str, dict[str, Any]]) -> bool:
    """Say whether a partner still has something to do or to tell."""
    return any(one["busy"] or one.get("webhooks_pending") for one in progress.values())


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
        self._books.place(orders, seed=seed, rate=rate)
        return self._began

    def wait(
        self,
        tend: Sequence[Callable[[], None]],
        show: Callable[[Headway], None],
        *,
        raging: Callable[[], bool],
    ) -> bool:
        """Wait until nothing is under way any more; say whether that came about in time.

        The time begins once no storm is `raging`.
        """
        patience = self._placing + PATIENCE + self._orders * 0.05
        end = self._began + patience
        quiet_since: dt.datetime | None = None
        while time.monotonic() < end:
            for one in tend:
                one()
            if raging():
                end = time.monotonic() + patience
            progress = self._books.read("progress")
            backlog = self._read_backlog()
            if backlog is None:
                threading.Event().wait(TICK)
                continue
            show(self._headway(progress, backlog.open_lines))
            if raging() or backlog.open_lines or _is_busy(progress):
                quiet_since = None
            elif quiet_since is None:
                quiet_since = backlog.now
            elif backlog.polled is not None and backlog.polled > quiet_since:
                return True
            else:
                self._poll()
            threading.Event().wait(TICK)
        return False

    def _poll(self) -> None:
        """Look sooner than beat would for what webhooks lost: rest is what polls have seen."""
        for partner, kind in POLLED:
            poll(self._fleet, partner, kind)
        for partner in FILED:
            pick_up(self._fleet, partner)

    def row_writes(self) -> int:
        """Return the rows written since the first order."""
        threading.Event().wait(1.2)  # Postgres gathers its statistics for a second
        return self._count_writes() - self._writes_before

    def published(self) -> dict[str, int]:
        """Return the Celery messages since the first order, by task."""
        now = self._count_published()
        before = self._published_before
        # Where Redis was flushed meanwhile, it is what came after that.
        return {task: max(0, count - before.get(task, 0)) for task, count in now.items()}

    def _headway(self, progress: dict[str, dict[str, Any]], open_lines: int) -> Headway:
        return Headway(
            placed=total(progress, "placed"),
            booked=total(progress, "orders", role="erp"),
            shipped=total(progress, "shipped_shipments"),
            delivered=total(progress, "delivered"),
            invoiced=total(progress, "invoices"),
            told=total(progress, "fulfillments"),
            open_lines=open_lines,
            faults=count_faults(progress),
            seconds=time.monotonic() - self._began,
        )

    def _read_backlog(self) -> Backlog | None:
        """Count what is under way with us, and see up to when all partners have been polled.

        What a case blocks waits for a person. None while the database is away.
        """
        query = sa.text(
            "SELECT (SELECT count(*) FROM line WHERE blocked_by IS NULL)"
            " + (SELECT count(*) FROM message"
            " WHERE state = 'parked' AND waiting_for NOT LIKE 'topic:%') AS open_lines,"
            " (SELECT CASE WHEN count(*) = :polled THEN min(position) END FROM cursor) AS polled,"
            " now() AS now"
        )
        try:
            with self._fleet.session() as session:
                row = session.execute(query, {"polled": len(POLLED)}).one()
        except sa.exc.OperationalError:
            return None
        return Backlog(open_lines=row.open_lines, polled=row.polled, now=row.now)

    def _count_writes(self) -> int:
        query = sa.text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        with self._fleet.session() as session:
            return int(session.execute(query).scalar_one() or 0)

    def _count_published(self) -> dict[str, int]:
        counted: dict[Any, Any] = self._redis.hgetall("syncworkers:published")
        return {task.decode(): int(count) for task, count in counted.items()}
