"""How long an order takes from webhook to partner, at a pace that leaves everybody room."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.stage import wait_for

if TYPE_CHECKING:
    from benchmarks.ways import Way

GAPS = (0.45, 0.7, 2.8)
"""Seconds between orders: further apart than calls are gathered, and now and then so far that
workers have left their lanes."""


STEADY = (0.05,)
"""Twenty orders a second: a busy hour, and far from what the machine can do."""


def measure(way: Way, count: int, seed: int, gaps: tuple[float, ...] = GAPS) -> dict[str, float]:
    """Send one order at a time; return percentiles from its first byte to the ERP's stub.

    Orders are told apart by their place alone: the first that came is the first that was sent.
    """
    wanted = load.requests(load.bodies(count + 8, seed), f"idle-{seed}")
    load.send(way.port, wanted[:8], connections=1)
    wait_for(lambda: way.booked() == 8, 60, "the warm-up")
    before = len(way.came())
    sent = []
    for request, gap in zip(wanted[8:], itertools.cycle(gaps), strict=False):
        threading.Event().wait(gap)
        sent.append(time.perf_counter())
        load.send(way.port, [request], connections=1)
    wait_for(lambda: way.booked() == count + 8, 60, "the last booking")
    came = sorted(way.came()[before:])
    took = sorted((there - here) * 1000 for here, there in zip(sent, came, strict=True))
    return {"p50 ms": load.percentile(took, 0.5), "p99 ms": load.percentile(took, 0.99)}
