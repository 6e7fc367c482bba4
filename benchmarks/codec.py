"""How fast the codec reads X12, beside a bare split of the same bytes, and in how much memory."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.advices import file_of
from benchmarks.stage import CHECKOUT
from syncworkers.x12.read import read, read_sets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEGABYTE = 1_000_000


def measure(megabytes: int, folder: Path) -> dict[str, float]:
    """Read a file of 945s in three ways in turn; return MB per second of CPU, and peaks in MB.

    `split` is the floor: the segments and elements of the same bytes, and nothing known about them.
    """
    data = file_of(megabytes * MEGABYTE)
    size = len(data) / MEGABYTE
    split = size / _seconds(lambda: _split(data))
    one_by_one = size / _seconds(lambda: _through(data))
    whole = size / _seconds(lambda: read(data))
    place = folder / "codec.edi"
    place.write_bytes(data)
    peak = _peak(str(place))
    place.unlink()
    return {
        "split MB/s": split,
        "read_sets MB/s": one_by_one,
        "read MB/s": whole,
        "read_sets : split": one_by_one / split,
        "read : split": whole / split,
        "read_sets of a stream, peak MB": peak,
        "of which the interpreter": _peak(),
    }


def _split(data: bytes) -> None:
    for one in data.split(b"~"):
        one.split(b"*")


def _through(data: bytes) -> None:
    for _ in read_sets(data):
        pass


def _seconds(work: Callable[[], object]) -> float:
    """Return seconds of CPU, which others on this machine cannot lengthen much."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _peak(*files: str) -> float:
    """Return what a process of its own holds at most while it streams these files."""
    command = [sys.executable, "-m", "benchmarks.peaks", *files]
    told = subprocess.run(command, check=True, capture_output=True, cwd=CHECKOUT)  # noqa: S603
    return float(told.stdout)
