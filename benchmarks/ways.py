"""Two ways from webhook to booked order, the product and a plain one."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks.meter import Meter
from benchmarks.plain.schema import create
from benchmarks.sftp_stub import HARBOR
from benchmarks.stage import CHECKOUT, address, wait_for
from syncworkers.bootstrap import build_fleet
from syncworkers.engine import lanes
from syncworkers.settings import load_settings
from syncworkers.store import migrate
from syncworkers.supervisor import processes
from syncworkers.supervisor.environment import choose_ports, sandbox_environment
from syncworkers.supervisor.simulators import NAMES
from syncworkers.supervisor.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.stage import Stage
    from syncworkers.supervisor.processes import Process

CORES = os.cpu_count() or 1
STORE, ERP, WAREHOUSE = "shopify-us", "d365-main", "shipbob-west"
OVERLAY = "".join(f'[partners.{partner}.poll]\nevery = "1d"\n' for partner in NAMES)
"""Production's settings, but nobody is polled: only what the webhooks bring is counted."""
PLAIN_BOOKED = "SELECT count(*) FROM orders WHERE status = 'confirmed'"
PRODUCT_BOOKED = f"SELECT count(*) FROM delivery WHERE partner = '{ERP}' AND state = 'confirmed'"  # noqa: S608


EAGER = """
[partners.harbor-east.poll]
every = "1s"

[partners.harbor-east.connection]
stable_seconds = 0
"""
"""The legacy warehouse's folder is looked into at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way, running."""

    port: int
    """Where webhooks go."""
    database: sa.Engine
    meter: Meter
    question: str
    stub: int
    """The port of its ERP."""

    def booked(self) -> int:
        """Count the orders that stand in the ERP, by our own committed word."""
        with self.database.connect() as connection:
            return int(connection.execute(sa.text(self.question)).scalar() or 0)

    def came(self) -> list[float]:
        """Return when each order came to the ERP."""
        return list(told_by(self.stub)["came"])


def told_by(stub: int) -> dict[str, Any]:
    """Return what a stub at this port counted since it was started: `calls`, and `came`."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stub}/_stub") as answer:
        return dict(json.load(answer))


@contextmanager
def product(
    stage: Stage,
    latency: int,
    *,
    workers: int = CORES,
    warehouse: int | None = None,
    sftp: int | None = None,
) -> Iterator[Way]:
    """Start gateway, a worker for each core, and beat; what follows the booking is paused.

    With `warehouse`, the latency of a stub, parts are not paused but go there. With `sftp`, the
    port of a server, files are picked up there, by a worker of their own.
    """
    ports = choose_ports()
    stubs = {ERP: stage.stubs[latency]}
    if warehouse is not None:
        stubs[WAREHOUSE] = stage.stubs[warehouse]
    ports = replace(ports, partners={**ports.partners, **stubs})
    if sftp is not None:
        ports = replace(ports, sftp={HARBOR: sftp})
    config = stage.folder / "config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(CHECKOUT / "config", config)
    (config / "environments" / "dev.toml").write_text(_overlay(eager=sftp is not None))
    (
        config / "routing.toml"
    ).unlink()  # everything leaves from one warehouse, as the plain way has it
    with ExitStack() as started:
        database = started.enter_context(stage.database())
        migrate.upgrade(database)
        told = {
            **sandbox_environment(ports),
            "DATABASE_URL": address(database),
            "REDIS_URL": stage.redis_url,
            "SYNCWORKERS_CONFIG": str(config),
            "SYNCWORKERS_ENV": "dev",
            "SENTRY_DSN": "",
        }
        for name in [one for one in told if one.endswith("_WEBHOOK_URL")]:
            del told[name]  # nobody is asked to call us
            os.environ.pop(name, None)
        os.environ.update(told)
        _pause((STORE,) if warehouse is not None else (STORE, WAREHOUSE))
        wanted: tuple[str, ...] = ("web", "worker-flow", "beat") if workers else ("web",)
        wanted += ("worker-batch",) if sftp is not None else ()
        ours = [_as_in_procfile(one) for one in processes.fleet(ports, "") if one.name in wanted]
        ours += [_another(one, n) for one in ours for n in _more(one, workers)]
        roots = started.enter_context(_running(stage, ours, told))
        meter = Meter({**roots, **stage.server_pids}, stage.redis, database)
        yield Way(
            port=ports.gateway,
            database=database,
            meter=meter,
            question=PRODUCT_BOOKED,
            stub=stage.stubs[latency],
        )


def _overlay(*, eager: bool) -> str:
    slow = f'[partners.{HARBOR}.poll]\nevery = "1d"\n'
    return OVERLAY.replace(slow, EAGER) if eager else OVERLAY


def _as_in_procfile(process: Process) -> Process:
    """Give the gateway two processes, as the Procfile does; on a developer's machine it has one."""
    if process.name != "web":
        return process
    place = process.command.index("--workers") + 1
    command = (*process.command[:place], "2", *process.command[place + 1 :])
    return replace(process, command=command)


def _more(process: Process, workers: int) -> range:
    return range(2, workers + 1) if process.name == "worker-flow" else range(0)


def _another(process: Process, number: int) -> Process:
    """Return one more worker of the same kind, as another machine would run it."""
    command = tuple(f"flow{number}@%h" if word == "flow@%h" else word for word in process.command)
    return replace(process, name=f"{process.name}-{number}", command=command)


def _pause(partners: tuple[str, ...]) -> None:
    """Let nothing leave for partners that are not part of the comparison."""
    fleet = build_fleet(load_settings(), worker="bench")
    with fleet.session() as session:
        for name, lane in fleet.lanes.items():
            if name.endswith(partners):
                lanes.pause(session, lane.id, seconds=None, reason="not measured", actor="bench")
    fleet.database.dispose()


@contextmanager
def plain(stage: Stage, latency: int, *, concurrency: int) -> Iterator[Way]:
    """Start the plain way's view and its prefork worker."""
    ports = choose_ports()
    with ExitStack() as started:
        database = started.enter_context(stage.database())
        create(database)
        told = {
            **sandbox_environment(ports),
            "DATABASE_URL": address(database),
            "PLAIN_BROKER": f"redis+socket://{stage.redis_url.removeprefix('unix://')}",
            "PLAIN_ERP": f"http://127.0.0.1:{stage.stubs[latency]}",
        }
        web = next(one for one in processes.fleet(ports, "") if one.name == "web")
        command = (*web.command[:-1], "benchmarks.plain.web:application")
        worker = processes.Process(
            name="plain-worker",
            command=(
                *(str(processes.BIN / "celery"), "-A", "benchmarks.plain.tasks", "worker"),
                *("--concurrency", str(concurrency)),
            ),
            look="",
        )
        both = [replace(web, name="plain-web", command=command), worker]
        roots = started.enter_context(_running(stage, both, told))
        meter = Meter({**roots, **stage.server_pids}, stage.redis, database)
        yield Way(
            port=ports.gateway,
            database=database,
            meter=meter,
            question=PLAIN_BOOKED,
            stub=stage.stubs[latency],
        )


@contextmanager
def _running(
    stage: Stage, wanted: Sequence[Process], told: Mapping[str, str]
) -> Iterator[dict[str, int]]:
    """Run processes; yields their ids by name."""
    died: list[str] = []
    supervisor = Supervisor(
        wanted, env={**os.environ, **told}, folder=stage.folder, cwd=CHECKOUT, say=died.append
    )
    try:
        supervisor.start()
        wait_for(lambda: not supervisor.wait_ready(1.0), 60, "the gateway's start")
        yield {one.name: supervisor.pid(one.name) for one in wanted}
        supervisor.tend()
        if died:
            raise RuntimeError(died[0])
    finally:
        supervisor.stop()
