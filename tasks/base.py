"""What every task does around its body: say in each log line and error report what it works on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import celery
import structlog

from syncworkers import logs

if TYPE_CHECKING:
    # Celery's own class takes type arguments from 5.7 on, its stubs always do.
    CeleryTask = celery.Task[..., Any]
else:
    CeleryTask = celery.Task

log = structlog.get_logger(__name__)


class FleetTask(CeleryTask):
    """A wake-up for one task, and at most one partner."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body with its lane bound; the time it took is one line at debug level."""
        lane = ":".join([self.name, *map(str, args)])
        partner = str(args[0]) if args else None
        with logs.bound(lane=lane, partner=partner, task=self.request.id):
            began = time.monotonic()
            done = self.run(*args, **kwargs)
            log.debug("task done", seconds=round(time.monotonic() - began, 3))
            return done
