"""A drill: the database is restored from a base backup while orders flow, and recovered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers import servers
from syncworkers.bootstrap import build_fleet, connect
from syncworkers.cli.demo_result import read_result
from syncworkers.cli.demo_run import Books, Run, total
from syncworkers.settings import load_settings
from syncworkers.store import migrate
from syncworkers.supervisor import processes
from syncworkers.supervisor.environment import choose_ports, sandbox_environment
from syncworkers.supervisor.supervise import Supervisor
from tests.end_to_end.test_up import COMMAND, ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.servers import Servers
    from syncworkers.servers.postgres import EmbeddedPostgres

ORDERS = 30
LOST = 5
"""At least so many of each kind come about after the backup."""
HOW = processes.Sandbox(seed=5, faults="normal", speed=20.0, pace=0.6)
SENT_OR_NOT = "edi.sent_or_not"
LONGEST_LEASE = 60.0


@dataclass
class Drill:
    """Servers and partners that go on all the time, and a fleet that comes and goes."""

    servers: Servers
    books: Books
    env: dict[str, str]
    run: Run
    fleet: Any
    processes: list[processes.Process]
    folder: Path

    @property
    def postgres(self) -> EmbeddedPostgres:
        assert self.servers.postgres is not None
        return self.servers.postgres

    @contextmanager
    def working(self, name: str) -> Iterator[Supervisor]:
        workers = supervise(self.processes, self.env, self.folder / name)
        try:
            yield workers
        finally:
            workers.stop()

    def progress(self) -> dict[str, int]:
        found = self.books.read("progress")
        return {
            "booked": total(found, "orders", role="erp"),
            "invoiced": total(found, "invoices"),
            "shipped": total(found, "shipped_shipments"),
            "told": total(found, "fulfillments"),
        }

    def go_on(self, **wanted: int) -> None:
        """Wait until so much is done at the partners."""

        def is_done() -> bool:
            now = self.progress()
            return all(now[name] >= count for name, count in wanted.items())

        until(is_done, 90.0)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def supervise(processes: list[processes.Process], env: dict[str, str], folder: Path) -> Supervisor:
    supervisor = Supervisor(processes, env=env, folder=folder, cwd=ROOT, say=print)
    supervisor.start()
    silent = supervisor.wait_ready(60.0)
    assert silent == [], f"{silent} did not start; see {folder}"
    return supervisor


@contextmanager
def drill(folder: Path, environ: pytest.MonkeyPatch) -> Iterator[Drill]:
    with ExitStack() as started:
        found = started.enter_context(
            servers.running(folder, database_url=None, redis_url=None, fresh=True)
        )
        ports = choose_ports()
        told = {
            **sandbox_environment(ports),
            "DATABASE_URL": found.database_url,
            "REDIS_URL": found.redis_url,
            "SYNCWORKERS_CONFIG": str(ROOT / "config"),
            "SYNCWORKERS_ENV": "dev",
            "SYNCWORKERS_STATE": str(folder / "state"),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        for name, value in told.items():
            environ.setenv(name, value)
        database = connect(found.database_url)
        migrate.upgrade(database)
        database.dispose()
        env = {**os.environ, **told}
        partners = supervise(processes.sandbox(ports, HOW), env, folder / "partners")
        started.callback(partners.stop)
        fleet = build_fleet(load_settings(), worker="drill")
        started.callback(fleet.database.dispose)
        books = Books(ports)
        yield Drill(
            servers=found,
            books=books,
            env=env,
            run=Run(fleet, books, found.redis_url),
            fleet=fleet,
            processes=[one for one in processes.fleet(ports, "drill") if one.name != "flower"],
            folder=folder,
        )


def back_up(server: EmbeddedPostgres, place: Path) -> str:
    """Take a base backup of the running server; return the moment it stands at."""
    subprocess.run(
        [
            *(server._programs / "pg_basebackup", "-h", server._sockets, "-U", "syncworkers"),
            *("-D", place, "--checkpoint=fast", "--no-sync"),
        ],
        check=True,
        timeout=60,
    )
    with server._connect("postgres") as connection:
        [moment] = connection.execute("SELECT now()").fetchone() or [None]
    return str(moment)


def restore(server: EmbeddedPostgres, place: Path) -> None:
    """Let the server have nothing but the backup."""
    server.stop()
    shutil.rmtree(server._data)
    shutil.copytree(place, server._data)
    if server._user is not None:
        for path in (server._data, *server._data.rglob("*")):
            os.chown(path, server._user, -1)
    server.start()


def recover(stage: Drill, since: str) -> tuple[dict[str, Any], set[str]]:
    """Recover as soon as it is not refused any more; return what it said, and the refusals."""
    refusals: set[str] = set()
    end = time.monotonic() + LONGEST_LEASE
    while True:
        done = stage.command("recover", "--since", since, "--actor", "drill", "--json")
        if done.returncode == 0:
            return json.loads(done.stdout), refusals
        refusals.add(done.stderr.partition(":")[0].partition(" hold ")[0])
        assert time.monotonic() < end, done.stderr
        time.sleep(1.0)


@pytest.mark.skipif("DRILL" not in os.environ, reason="takes two minutes: make drill")
@pytest.mark.timeout(240)
def test_a_fleet_restored_from_a_backup_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drill(tmp_path / "drill", monkeypatch) as stage:
        with stage.working("before"):
            began = stage.run.place(ORDERS, seed=HOW.seed, rate=3.0)
            stage.go_on(booked=5, shipped=1)
            since = back_up(stage.postgres, tmp_path / "backup")
            at_backup = stage.progress()
            stage.go_on(**{name: count + LOST for name, count in at_backup.items()})
        lost = {name: count - at_backup[name] for name, count in stage.progress().items()}

        restore(stage.postgres, tmp_path / "backup")
        said, refusals = recover(stage, since)
        with stage.working("after") as workers:
            once = iter([True])
            settled = stage.run.wait(
                (workers.tend,), lambda _: None, raging=lambda: next(once, False)
            )
        found = read_result(
            stage.fleet,
            stage.books,
            stage.run,
            seconds=time.monotonic() - began,
            settled=settled,
            struck={},
        )

    assert min(lost.values()) >= LOST
    assert refusals <= {"workers"}
    assert said["deliveries"] >= 1
    assert (found.lost, found.duplicated, found.mismatched, found.ledger_findings) == (0,) * 4, (
        found.details
    )
    assert found.settled, found.details
    assert (found.orders, found.confirmed) == (ORDERS, ORDERS), found.details
    # What went to a warehouse without books, and that the ledger forgot, is asked about by people.
    asked = {case.order for case in found.details["cases"] if SENT_OR_NOT in case.told}
    with_cases = {case.order for case in found.details["cases"]} - {None}
    assert with_cases - asked == found.details["for_people"] - asked, found.details
