"""Attend a lane: claim until it is empty or the budget is used up, then linger for a moment.

Lingering spares a message per burst: arrivals within the moment are picked up by who is there.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.engine.wakeups import Waker

PAUSE = 0.05
LONGEST_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class Look:
    """What one claim found: how many lines it worked."""

    lines: int


def attend(lane: LaneHandle, waker: Waker, look: Callable[[], Look], *, who: str) -> int:
    """Look at the lane again and again; return how many lines were worked."""
    # Threads of one process attend for themselves.
    me = f"{who}/{threading.get_ident()}"
    started = last_work = time.monotonic()
    worked = 0
    while time.monotonic() - started < lane.spec.work_budget:
        waker.look(lane.name, me)
        found = look().lines
        if found:
            worked += found
            last_work = time.monotonic()
            continue
        idle = time.monotonic() - last_work
        if idle >= lane.spec.linger or not waker.attend(lane.name, me):
            break
        waker.rest(lane.name, min(LONGEST_PAUSE, max(PAUSE, idle / 4)))
    waker.leave(lane.name, me)
    return worked
