"""Let a planned storm loose: every blow is really struck, mended where a machine would, counted."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg
import sqlalchemy as sa
from redis import Redis
from redis.exceptions import RedisError

from syncworkers.servers import ServerError
from syncworkers.storm.schedule import KILLS, Blow, Scheduled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.servers.postgres import EmbeddedPostgres
    from syncworkers.servers.redis import EmbeddedRedis
    from syncworkers.supervisor.supervise import Supervisor

DOWNTIME = 1.0
"""Seconds that a killed server stays away, as long as a process manager needs."""
FROZEN = 4.0
PARTNER_DOWN = 10.0
PARTNER_HANGS = 8.0
"""Seconds in which calls begin to hang; each of them hangs longer."""
WORKERS = ("worker-flow", "worker-flow", "worker-inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A blow as it fell, in seconds since the storm began, and when it was mended."""

    blow: Blow
    at: float
    mended: float


class Storm:
    """A storm over one demo's fleet; `faces` are the partners' control addresses."""

    def __init__(
        self,
        plan: Sequence[Scheduled],
        *,
        postgres: EmbeddedPostgres,
        redis: EmbeddedRedis,
        supervisor: Supervisor,
        faces: Mapping[str, str],
    ) -> None:
        self._plan = plan
        self._postgres = postgres
        self._redis = redis
        self._supervisor = supervisor
        self._faces = faces
        self._turn = 0
        self._strikes: Mapping[Blow, Callable[[Scheduled], None]] = {
            Blow.KILL_WORKER: self._kill_worker,
            Blow.KILL_POOL_CHILD: lambda _: self._kill_child("worker-batch"),
            Blow.KILL_GATEWAY: lambda _: self._kill("web"),
            Blow.KILL_BEAT: lambda _: self._kill("beat"),
            Blow.FLUSH_REDIS: lambda _: self._ask_redis("FLUSHALL"),
            Blow.CUT_REDIS: lambda _: self._ask_redis("CLIENT KILL TYPE normal SKIPME yes"),
            Blow.KILL_REDIS: self._kill_redis,
            Blow.FREEZE_REDIS: self._freeze_redis,
            Blow.RESTART_POSTGRES: self._restart_postgres,
            Blow.KILL_POSTGRES: self._kill_postgres,
            Blow.CUT_POSTGRES: self._cut_postgres,
            Blow.PARTNER_DOWN: lambda one: self._spell(one.partner, "outage", PARTNER_DOWN),
            Blow.PARTNER_HANGS: lambda one: self._spell(one.partner, "hang", PARTNER_HANGS),
        }
        self._over = threading.Event()
        self._mended = threading.Event()
        self._down: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="storm", daemon=True)
        self.struck: list[Struck] = []
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        """Begin; the blows fall from a thread of their own."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let no further blow fall; raise what went wrong with one."""
        self._over.set()
        while self._thread.is_alive():
            self.tend()
            self._thread.join(0.1)
        if self._error is not None:
            raise self._error

    def tend(self) -> None:
        """Start again what is down; call it from the main thread, and often.

        A server dies with the thread that started it. What a killed one left behind may stand in
        its way for a moment.
        """
        with suppress(queue.Empty):
            start = self._down.get_nowait()
            try:
                start()
            except ServerError:
                self._down.put(start)
            else:
                self._mended.set()

    @property
    def raging(self) -> bool:
        """Say whether blows are still to fall."""
        return self._thread.is_alive()

    @property
    def kills(self) -> int:
        """Return how many processes were killed."""
        return sum(one.blow in KILLS for one in self.struck)

    def counts(self) -> dict[str, int]:
        """Return what was struck, by kind."""
        return dict(sorted(Counter(one.blow.value for one in self.struck).items()))

    def _run(self) -> None:
        began = time.monotonic()
        for planned in self._plan:
            if self._over.wait(max(0.0, began + planned.at - time.monotonic())):
                return
            at = time.monotonic() - began
            try:
                self._strikes[planned.blow](planned)
            except Exception as error:  # noqa: BLE001 - whatever it is, the demo must say it
                self._error = error
                return
            mended = time.monotonic() - began
            self.struck.append(Struck(blow=planned.blow, at=at, mended=mended))

    def _kill_worker(self, _: Scheduled) -> None:
        self._turn += 1
        self._kill(WORKERS[self._turn % len(WORKERS)])

    def _kill_redis(self, _: Scheduled) -> None:
        self._redis.kill()
        self._bring_back(self._redis.start)

    def _restart_postgres(self, _: Scheduled) -> None:
        self._postgres.stop()
        self._bring_back(self._postgres.start)

    def _kill_postgres(self, _: Scheduled) -> None:
        self._postgres.kill()
        self._bring_back(self._postgres.start)

    def _bring_back(self, start: Callable[[], None]) -> None:
        self._over.wait(DOWNTIME)
        self._mended.clear()
        self._down.put(start)
        self._mended.wait()

    def _kill(self, process: str) -> None:
        with suppress(KeyError, ProcessLookupError):
            os.kill(self._supervisor.pid(process), signal.SIGKILL)

    def _kill_child(self, process: str) -> None:
        pid = self._supervisor.pid(process)
        children = Path(f"/proc/{pid}/task/{pid}/children")
        for child in children.read_text().split()[:1] if children.exists() else []:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def _ask_redis(self, command: str) -> None:
        with (
            suppress(RedisError),
            Redis.from_url(self._redis.url, socket_timeout=2.0) as redis,
        ):
            redis.execute_command(command)

    def _freeze_redis(self, _: Scheduled) -> None:
        pid = self._redis.pid
        if pid is not None:
            os.kill(pid, signal.SIGSTOP)
            threading.Event().wait(FROZEN)
            os.kill(pid, signal.SIGCONT)

    def _cut_postgres(self, _: Scheduled) -> None:
        url = sa.make_url(self._postgres.url).set(drivername="postgresql")
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as server,
        ):
            server.execute(cut)

    def _spell(self, partner: str, kind: str, seconds: float) -> None:
        """Have every call to a partner meet a fault for so long."""
        body = json.dumps({"spell": {kind: seconds}}).encode()
        address = f"{self._faces[partner]}/faults"
        request = urllib.request.Request(address, body)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10.0):  # noqa: S310 - loopback
            return
