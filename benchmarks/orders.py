"""Orders a second, and what one costs: from the first webhook to the last confirmed booking."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.stage import wait_for

if TYPE_CHECKING:
    from benchmarks.ways import Way

WARM = 32
"""Orders booked before, so that connections, imports and tokens are there."""
PATIENCE = 300.0


def measure(way: Way, orders: int, seed: int) -> dict[str, float]:
    """Run all orders through a way; return its figures by name."""
    bodies = load.bodies(WARM + orders, seed)
    wanted = load.requests(bodies, f"order-{seed}")
    load.send(way.port, wanted[:WARM])
    wait_for(lambda: way.booked() == WARM, 60, "the warm-up")
    threading.Event().wait(1.5)  # Postgres gathers its statistics for a second
    before = way.meter.read()
    begun = time.perf_counter()
    acks = load.send(way.port, wanted[WARM:])
    wait_for(lambda: way.booked() == WARM + orders, PATIENCE, "the last booking")
    seconds = time.perf_counter() - begun
    after = way.meter.read()
    memory = way.meter.memory()
    threading.Event().wait(1.5)
    rows = way.meter.read().rows - before.rows
    cpu = {name: (after.cpu[name] - before.cpu[name]) * 1000 / orders for name in after.cpu}
    return {
        "orders/s": orders / seconds,
        "CPU ms/order": sum(cpu.values()),
        **{f"CPU ms/order: {name}": used for name, used in cpu.items()},
        "messages/order": (after.messages - before.messages) / orders,
        "row writes/order": rows / orders,
        "acks/s meanwhile": acks.per_second,
        "memory MB": sum(memory.values()),
        **{f"memory MB: {name}": used for name, used in memory.items()},
    }
