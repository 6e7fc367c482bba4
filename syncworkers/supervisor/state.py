"""What a running fleet leaves to be found: who runs here, and what its processes are told."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class AlreadyRunningError(Exception):
    """A fleet of this folder runs; `args[0]` is what it left of itself."""


@contextmanager
def sole(folder: Path, about: Mapping[str, Any]) -> Iterator[IO[str]]:
    """Hold the folder for one fleet. Raises `AlreadyRunningError`.

    The lock is the kernel's, so that a killed fleet leaves nothing to clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.json").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise AlreadyRunningError(json.loads(held.read() or "{}")) from None
        held.seek(0)
        held.truncate()
        json.dump({"pid": os.getpid(), **about}, held)
        held.flush()
        yield held
        held.seek(0)
        held.truncate()


def write_environment(folder: Path, env: Mapping[str, str]) -> None:
    """Keep what simulated partners' addresses are, for commands run beside the fleet."""
    place = folder / "environment.json"
    place.touch(mode=0o600)
    place.write_text(json.dumps(dict(env)))


def read_environment(folder: Path) -> dict[str, str] | None:
    """Return what `write_environment` kept, if anything."""
    try:
        kept: dict[str, str] = json.loads((folder / "environment.json").read_text())
    except (OSError, ValueError):
        return None
    return kept
