"""The fleet of this process: composed at first use, after any fork, and never inherited by one."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from celery import signals

from syncworkers.bootstrap import build_fleet
from tasks.celery import app, settings
from tasks.wakeups import Publisher

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

_built: dict[int, Fleet] = {}
_lock = threading.Lock()


def fleet() -> Fleet:
    """Return this process's fleet."""
    here = os.getpid()
    with _lock:
        if here not in _built:
            _built[here] = build_fleet(settings, publish=Publisher(app))
        return _built[here]


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def close(**_: Any) -> None:
    """Send the last wake-ups and close the connections, if there are any."""
    composed = _built.pop(os.getpid(), None)
    if composed is not None:
        composed.waker.close()
        composed.database.dispose()
