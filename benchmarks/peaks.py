"""The most memory that a process ever held; alone, it streams a file and tells its own."""

from __future__ import annotations

import sys
from pathlib import Path

from syncworkers.x12.read import read_sets


def peak_of(pid: int | str = "self") -> float:
    """Return MB; `getrusage` would count those of the process that started it."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1_000_000


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with Path(name).open("rb") as stream:
            for _ in read_sets(stream):
                pass
    print(peak_of())  # noqa: T201 - its caller reads it
