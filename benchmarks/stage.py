"""What every way stands on: one Postgres, one Redis, ERP stubs; a clean database for each run."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import sqlalchemy as sa

from syncworkers import servers
from syncworkers.bootstrap import connect, link_redis
from syncworkers.servers import children
from syncworkers.supervisor.environment import choose_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

CHECKOUT = Path(__file__).resolve().parents[1]
TICK = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Servers and stubs, running."""

    folder: Path
    database_url: str
    redis_url: str
    redis: Redis
    stubs: dict[int, int]
    """Ports of the ERP, by its latency in milliseconds."""
    server_pids: dict[str, int]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def database(self) -> Iterator[sa.Engine]:
        """Make an empty database, and forget it afterwards."""
        name = f"run_{next(self._numbers)}"
        control = sa.create_engine(self.database_url, isolation_level="AUTOCOMMIT")
        with control.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        url = sa.make_url(self.database_url).set(database=name)
        engine = connect(url)
        self.redis.flushall()
        try:
            yield engine
        finally:
            engine.dispose()
            with control.connect() as connection, suppress(sa.exc.DBAPIError):
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
            control.dispose()


def address(engine: sa.Engine) -> str:
    """Write a database's address for other processes."""
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def stage(latencies: list[int]) -> Iterator[Stage]:
    """Start servers and stubs; stop them at the end."""
    folder = Path(os.environ.get("SYNCWORKERS_STATE") or CHECKOUT / ".syncworkers") / "bench"
    with ExitStack() as started:
        found = started.enter_context(
            servers.running(folder, database_url=None, redis_url=None, fresh=True)
        )
        pids = {one.name(): one.pid for one in psutil.Process().children()}
        stubs = {one: started.enter_context(_stub(folder, one)) for one in latencies}
        yield Stage(
            folder=folder,
            database_url=found.database_url,
            redis_url=found.redis_url,
            redis=link_redis(found.redis_url),
            stubs=stubs,
            server_pids={
                name.removesuffix("-server"): pid
                for name, pid in pids.items()
                if name in {"postgres", "redis-server", "valkey-server"}
            },
        )


@contextmanager
def _stub(folder: Path, latency: int) -> Iterator[int]:
    port = choose_ports().gateway
    command = [sys.executable, "-m", "benchmarks.erp_stub", "--port", str(port)]
    command += ["--latency-ms", str(latency)]
    with (folder / f"erp-{latency}.log").open("wb") as log:
        process = children.start(command, log=log, cwd=str(CHECKOUT))
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stub"), 20, "the ERP stub")
        yield port
    finally:
        children.stop(process, grace=1.0)


def answers(url: str) -> bool:
    """Say whether an address answers."""
    try:
        with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


def wait_for(so: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is so; raises when it does not come about."""
    end = time.monotonic() + seconds
    while not so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come about within {seconds:g} s")
        threading.Event().wait(TICK)
