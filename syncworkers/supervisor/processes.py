"""The table of processes: what runs, where to look. The Procfile says the same for production."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from syncworkers.supervisor.simulators import SIMULATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.supervisor.environment import Ports

BIN = Path(sys.executable).parent
QUEUES = {
    "worker-flow": "orders,shipments,invoices,catalog,dead_letter,sweep,maintenance",
    "worker-inventory": "inventory",
    "worker-batch": "files,reconciliation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process: how it is started, where it answers, and what more it is told."""

    name: str
    command: tuple[str, ...]
    look: str
    """Where to look, for people."""
    ready: str | None = None
    """An address that answers 2xx once it is up."""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """How the simulated partners behave."""

    seed: int = 1
    faults: str = "none"
    speed: float = 1.0
    caller_deadline: float = 2.0
    """The partners' `call_deadline` in the dev environment, so that timeouts last as long."""
    pace: float = 1.0
    """Scales the seconds that a warehouse, a carrier and an accountant take."""


def fleet(ports: Ports, password: str) -> list[Process]:
    """List our own processes."""
    gateway = f"http://127.0.0.1:{ports.gateway}"
    return [
        Process(
            name="web",
            command=(
                *_bin("granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(ports.gateway), "--workers", "1", "--blocking-threads", "16"),
                *("--no-ws", "--no-access-log", "tasks.gateway:application"),
            ),
            look=f"{gateway}/readyz",
            ready=f"{gateway}/healthz",
        ),
        _worker("worker-flow", "threads", 16),
        _worker("worker-inventory", "threads", 4),
        _worker("worker-batch", "prefork", 2),
        Process(name="beat", command=_bin("celery", "-A", "tasks", "beat"), look="the schedule"),
        Process(
            name="flower",
            command=(
                *_bin("celery", "-A", "tasks", "flower", "--address=127.0.0.1"),
                *(f"--port={ports.flower}", "--persistent=False", "--read_only=True"),
            ),
            look=f"http://127.0.0.1:{ports.flower} (user syncworkers)",
            env={"FLOWER_BASIC_AUTH": f"syncworkers:{password}"},
        ),
    ]


def sandbox(ports: Ports, how: Sandbox) -> list[Process]:
    """List the simulated partners."""
    common = (
        *("--seed", str(how.seed), "--faults", how.faults, "--speed", str(how.speed)),
        *("--caller-deadline", str(how.caller_deadline)),
    )
    gateway = f"http://127.0.0.1:{ports.gateway}/webhooks"
    return [
        _simulator(
            one.partner,
            ports.partners[one.partner],
            *one.command(f"{gateway}/{one.partner}", ports.sftp.get(one.partner)),
            *common,
            *(("--pace", str(how.pace)) if one.paced else ()),
        )
        for one in SIMULATORS
    ]


def _simulator(partner: str, port: int, module: str, *words: str) -> Process:
    address = f"http://127.0.0.1:{port}/_sandbox"
    return Process(
        name=f"sandbox-{partner}",
        command=_python(module, "--port", str(port), *words),
        look=f"{address}/books",
        ready=f"{address}/health",
    )


def _worker(name: str, pool: str, concurrency: int) -> Process:
    queues = QUEUES[name]
    node = name.removeprefix("worker-")
    return Process(
        name=name,
        command=(
            *_bin("celery", "-A", "tasks", "worker", "-n", f"{node}@%h", "--pool", pool),
            *("--concurrency", str(concurrency), "-Q", queues),
        ),
        look=f"queues {queues}",
    )


def _bin(program: str, *words: str) -> tuple[str, ...]:
    return (str(BIN / program), *words)


def _python(module: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *words)
