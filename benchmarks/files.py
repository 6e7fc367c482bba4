"""Whether a large file delays orders: from webhook to partner, with and without one under way."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from benchmarks import idle
from benchmarks.advices import HUGE, ORDINARY, file_of
from benchmarks.sftp_stub import HARBOR
from benchmarks.stage import CHECKOUT, wait_for
from syncworkers.servers import children
from syncworkers.supervisor.environment import choose_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.stage import Stage
    from benchmarks.ways import Way

GAPS = (0.45, 0.7)
"""Seconds between orders; see `idle.GAPS`."""
LEAST, MOST = 60, 600
"""Orders of a run: as many as fit in while the file is under way."""
KINDS = {
    "no file": None,
    "many 945s": ("945", ORDINARY),
    "few huge 945s": ("945", HUGE),
    "many 180s, which nobody reads": ("180", ORDINARY),
}
"""What lies in the partner's folder: document and its lines."""
_STAGES = {
    "in the inbox": "SELECT 1 FROM message WHERE topic = 'edi/file'",
    "taken apart": "SELECT 1 FROM message WHERE topic = 'edi/file' AND state = 'applied'",
    "decided": (
        "SELECT 1 FROM message WHERE topic = 'edi/file' AND state = 'applied' AND NOT EXISTS"
        " (SELECT 1 FROM message WHERE state = 'open' AND source = 'file' AND waits = 0)"
    ),
}
"""Each by the question that has an answer once it came about. A document whose order is unknown is
decided once it waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The partner's folder, and where its server listens."""

    place: Path
    port: int

    def leave(self, body: bytes) -> None:
        """Leave a file for us, whole from the first moment."""
        half = self.place / "outbound" / "large.edi.part"
        half.write_bytes(body)
        half.rename(half.with_suffix(""))


@contextmanager
def serving(stage: Stage) -> Iterator[Folder]:
    """Serve an empty folder."""
    place = stage.folder / HARBOR
    shutil.rmtree(place, ignore_errors=True)
    port = choose_ports().sftp[HARBOR]
    command = [sys.executable, "-m", "benchmarks.sftp_stub", "--folder", str(place)]
    with (stage.folder / "sftp.log").open("wb") as log:
        process = children.start([*command, "--port", str(port)], log=log, cwd=str(CHECKOUT))
    try:
        wait_for(lambda: _listens(port), 20, "the SFTP server")
        yield Folder(place=place, port=port)
    finally:
        children.stop(process, grace=1.0)


def measure(way: Way, folder: Folder, kind: str, megabytes: int, seed: int) -> dict[str, float]:
    """Send orders one by one while a file is under way; return how long both took."""
    wanted = KINDS[kind]
    watch = _Watch(way)
    if wanted is not None:
        code, lines = wanted
        body = file_of(megabytes * 1_000_000, code=code, lines=lines)
        idle.warm_up(way, seed)
        folder.leave(body)
        watch.start()
    else:
        idle.warm_up(way, seed)
    figures = idle.paced(way, MOST, seed, GAPS, enough=lambda n: n >= LEAST and watch.over)
    watch.join()
    peak = way.meter.peak("worker-batch")
    return {**figures, **watch.came, "worker-batch, peak MB": peak}


class _Watch:
    """Notes when each stage of the file came about, in seconds since it was left."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._thread = threading.Thread(target=self._look)
        self._started = False
        self.came: dict[str, float] = {}

    def start(self) -> None:
        self._started = True
        self._thread.start()

    def join(self) -> None:
        if self._started:
            self._thread.join()

    @property
    def over(self) -> bool:
        """Say whether there is nothing to wait for."""
        return not self._started or not self._thread.is_alive()

    def _look(self) -> None:
        begun = time.monotonic()
        for name, question in _STAGES.items():
            while not self._answered(question):
                if time.monotonic() - begun > 900:
                    return
                threading.Event().wait(0.5)
            self.came[f"file {name}, s"] = time.monotonic() - begun

    def _answered(self, question: str) -> bool:
        with self._way.database.connect() as connection:
            return connection.execute(sa.text(f"{question} LIMIT 1")).scalar() is not None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
