"""Child processes that do not outlive us, even if we are killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PR_SET_PDEATHSIG = 1


def start(  # noqa: PLR0913 - the facts of a process, all named
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    farewell: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; the kernel sends it `farewell` when we die (Linux).

    As `user` it gives up our rights before it starts.
    """

    def bequeath() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, farewell)

    return subprocess.Popen(  # noqa: S603 - the commands are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=bequeath,  # noqa: PLW1509 - one C call, no Python locks
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def stop(process: subprocess.Popen[bytes], *, sign: int = signal.SIGTERM, grace: float) -> None:
    """Ask a process to stop, and kill its whole group when it has not within `grace` seconds."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
