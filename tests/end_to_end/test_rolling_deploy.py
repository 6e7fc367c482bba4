"""A rolling deploy: workers of the commit before and of this one side by side lose nothing."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from syncworkers.cli.context import Context
from syncworkers.cli.demo_result import read_result
from syncworkers.cli.demo_run import Run, total
from syncworkers.cli.stage import PACE, Stage, staged
from syncworkers.settings import load_settings
from syncworkers.supervisor import processes
from syncworkers.supervisor.supervise import Supervisor
from tests.end_to_end.test_up import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """The tree of the commit before this one."""
    git = shutil.which("git")
    command = [git or "git", "-C", str(ROOT), "archive", "--format=tar", "HEAD^"]
    packed = subprocess.run(command, capture_output=True, check=False) if git else None
    if packed is None or packed.returncode:
        pytest.skip("needs the history of a git checkout with a commit before this one")
    tree = tmp_path / "former"
    tree.mkdir()
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(tree, filter="data")
    return tree


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Servers, partners and the fleet of this commit."""
    before = dict(os.environ)
    how = processes.Sandbox(seed=5, faults="normal", speed=20.0, pace=PACE)
    with staged(Context(load_settings()), tmp_path / "state", how) as built:
        yield built
    os.environ.clear()
    os.environ.update(before)


def former_worker(stage: Stage, tree: Path, folder: Path) -> Supervisor:
    """Prepare the flow worker of the former commit, with the configuration it came with."""
    [worker] = [one for one in processes.fleet(stage.ports, "") if one.name == "worker-flow"]
    words = [word.replace("flow@", "former@") for word in worker.command]
    env = {
        **os.environ,
        "DATABASE_URL": stage.servers.database_url,
        "REDIS_URL": stage.servers.redis_url,
        "SYNCWORKERS_ENV": "dev",
        "SYNCWORKERS_CONFIG": str(tree / "config"),
        "SENTRY_DSN": "",
        "PYTHONPATH": str(tree),
    }
    process = replace(worker, name="worker-former", command=tuple(words))
    return Supervisor([process], env=env, folder=folder, cwd=tree, say=lambda _: None)


def wait_for_booked(stage: Stage, count: int, seconds: float) -> None:
    """Wait until so many orders stand in the ERP, and we have written down who sent them."""
    end = time.monotonic() + seconds
    while booked(stage) < count or not workers(stage):
        assert time.monotonic() < end, "the orders were not booked"
        time.sleep(0.2)


def booked(stage: Stage) -> int:
    return total(stage.books.read("progress"), "orders", role="erp")


def workers(stage: Stage) -> set[str]:
    with stage.fleet.database.connect() as connection:
        return {row[0] for row in connection.execute(sa.text("SELECT worker FROM attempt"))}


@pytest.mark.timeout(240)
def test_workers_of_two_commits_side_by_side_lose_nothing(
    stage: Stage, former: Path, tmp_path: Path
) -> None:
    old = former_worker(stage, former, tmp_path / "former-log")
    new = stage.supervisor.pid("worker-flow")
    run = Run(stage.fleet, stage.books, stage.servers.redis_url)
    os.killpg(new, signal.SIGSTOP)
    old.start()
    try:
        run.place(20, seed=5, rate=20)
        wait_for_booked(stage, 10, seconds=45)
        only_old = workers(stage)
        os.killpg(new, signal.SIGCONT)
        began = run.place(20, seed=6, rate=20)
        wait_for_booked(stage, 30, seconds=30)
    finally:
        os.killpg(new, signal.SIGCONT)
        old.stop()

    settled = run.wait((stage.supervisor.tend,), lambda _: None, raging=lambda: False)
    result = read_result(
        stage.fleet,
        stage.books,
        run,
        seconds=time.monotonic() - began,
        settled=settled,
        struck={},
    )

    assert result.ok, result
    assert (result.orders, result.confirmed) == (40, 40)
    assert only_old
    assert workers(stage) > only_old
