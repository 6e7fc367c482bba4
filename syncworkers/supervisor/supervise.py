"""Start processes, restart those that die and name them, stop all and leave nothing running."""

from __future__ import annotations

import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.servers import children

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from syncworkers.supervisor.processes import Process

TICK = 0.2
GRACE = 8.0
"""Seconds to end by itself; what a worker leaves undone is taken up by its lease's end."""
STEADY = 10.0
"""A process that lived so long is restarted at once when it dies."""
LONGEST_WAIT = 10.0


@dataclass(slots=True)
class Running:
    """A process as it runs."""

    process: Process
    handle: subprocess.Popen[bytes]
    since: float
    failures: int = 0
    restart_at: float | None = None


class Supervisor:
    """Runs the given processes with the given environment; logs stand in `folder/log`."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        env: Mapping[str, str],
        folder: Path,
        cwd: Path,
        say: Callable[[str], None],
    ) -> None:
        self._processes = {process.name: process for process in processes}
        self._env = dict(env)
        self._logs = folder / "log"
        self._cwd = cwd
        self._say = say
        self._running: dict[str, Running] = {}
        self._stopping = threading.Event()
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start every process."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in self._processes:
            self._launch(name)

    def wait_ready(self, seconds: float) -> list[str]:
        """Wait until all that can answer do; return the names of those that do not."""
        waiting = {name: one.ready for name, one in self._processes.items() if one.ready}
        end = time.monotonic() + seconds
        while waiting and time.monotonic() < end and not self._stopping.is_set():
            self.tend()
            for name, address in list(waiting.items()):
                if _answers(address):
                    del waiting[name]
            if waiting:
                self._stopping.wait(TICK)
        return sorted(waiting)

    def tend(self) -> None:
        """Restart what died, sooner or later by how often it did."""
        with self._lock:
            for name, running in self._running.items():
                if self._stopping.is_set():
                    return
                if running.restart_at is None and running.handle.poll() is not None:
                    self._note_death(name, running)
                if running.restart_at is not None and time.monotonic() >= running.restart_at:
                    self._launch(name, failures=running.failures)

    def watch(self) -> None:
        """Tend the processes until `stop` is called."""
        while not self._stopping.wait(TICK):
            self.tend()

    def end_watch(self) -> None:
        """Make `watch` return; may be called from a signal handler."""
        self._stopping.set()

    def pid(self, name: str) -> int:
        """Return the present process id of one process."""
        return self._running[name].handle.pid

    def stop(self) -> None:
        """Stop all: first ask everybody, then wait for each, then kill what is left."""
        self._stopping.set()
        with self._lock:
            for running in self._running.values():
                with suppress(ProcessLookupError):
                    running.handle.send_signal(signal.SIGTERM)
            end = time.monotonic() + GRACE
            for running in self._running.values():
                children.stop(running.handle, grace=max(0.1, end - time.monotonic()))
            self._running.clear()

    def _launch(self, name: str, *, failures: int = 0) -> None:
        process = self._processes[name]
        with (self._logs / f"{name}.log").open("ab") as log:
            handle = children.start(
                process.command, log=log, env={**self._env, **process.env}, cwd=str(self._cwd)
            )
        self._running[name] = Running(process, handle, time.monotonic(), failures)

    def _note_death(self, name: str, running: Running) -> None:
        lived = time.monotonic() - running.since
        running.failures = 0 if lived >= STEADY else running.failures + 1
        wait = min(LONGEST_WAIT, 0.5 * 2.0**running.failures) if running.failures else 0.0
        running.restart_at = time.monotonic() + wait
        children.stop(running.handle, grace=0.0)  # whatever of its group is left
        code = running.handle.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
        log = self._logs / f"{name}.log"
        self._say(f"{name} died ({how}) after {lived:.0f} s; restart in {wait:.1f} s; see {log}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1.0) as answer:  # noqa: S310 - loopback
            return bool(200 <= answer.status < 300)
    except (urllib.error.URLError, OSError):
        return False
