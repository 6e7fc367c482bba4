"""How long an order takes from webhook to partner, at a pace that leaves everybody room."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.stage import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.ways import Way

GAPS = (0.45, 0.7, 2.8)
"""Seconds between orders: further apart than calls are gathered, and now and then so far that
workers have left their lanes."""


STEADY = (0.05,)
"""Twenty orders a second: a busy hour, and far from what the machine can do."""


WARM = 8
"""Orders that are sent before any is measured."""


def measure(way: Way, count: int, seed: int, gaps: tuple[float, ...] = GAPS) -> dict[str, float]:
    """Warm up and send so many orders; see `paced`."""
    warm_up(way, seed)
    return paced(way, count, seed, gaps)


def warm_up(way: Way, seed: int) -> None:
    """Have some orders booked."""
    first = load.requests(load.bodies(WARM, seed), f"idle-{seed}")
    load.send(way.port, first, connections=1)
    wait_for(lambda: way.booked() == WARM, 60, "the warm-up")


def paced(
    way: Way,
    most: int,
    seed: int,
    gaps: tuple[float, ...],
    enough: Callable[[int], bool] = lambda _: False,
) -> dict[str, float]:
    """Send one order at a time; return percentiles from its first byte to the ERP's stub.

    Ends when that many are `enough`. Orders are told apart by their place alone: the first that
    came is the first that was sent.
    """
    wanted = load.requests(load.bodies(most + WARM, seed), f"idle-{seed}")[WARM:]
    before = len(way.came())
    sent: list[float] = []
    for request, gap in zip(wanted, itertools.cycle(gaps), strict=False):
        if enough(len(sent)):
            break
        threading.Event().wait(gap)
        sent.append(time.perf_counter())
        load.send(way.port, [request], connections=1)
    wait_for(lambda: way.booked() == len(sent) + WARM, 120, "the last booking")
    came = sorted(way.came()[before:])
    took = sorted((there - here) * 1000 for here, there in zip(sent, came, strict=True))
    shares = {"p50 ms": 0.5, "p90 ms": 0.9, "p99 ms": 0.99}
    return {name: load.percentile(took, share) for name, share in shares.items()}
