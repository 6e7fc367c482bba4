"""What is to happen later, in one thread of its own."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Agenda:
    """Runs actions when they are due, one after another; `later` never waits."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._ready = threading.Condition()
        self._started = self._at_work = False

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Have an action run in so many seconds."""
        with self._ready:
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), action))
            if not self._started:
                self._started = True
                threading.Thread(target=self._work, daemon=True).start()
            self._ready.notify()

    @property
    def busy(self) -> bool:
        """Say whether anything is still to happen."""
        with self._ready:
            return bool(self._queue) or self._at_work

    def _take(self) -> Callable[[], object]:
        with self._ready:
            self._at_work = False
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._at_work = True
                    return heapq.heappop(self._queue)[2]
                self._ready.wait(wait)

    def _work(self) -> None:
        while True:
            self._take()()
