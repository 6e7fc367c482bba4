"""ShipBob's limit: so many calls in any window, and how many are left."""

from __future__ import annotations

import threading
from collections import deque


class CallLimit:
    """At most `calls` in `window` seconds, sliding; time is given, in seconds.

    A refused call counts for nothing.
    """

    def __init__(self, calls: float, window: float) -> None:
        self.calls = max(1, int(calls))
        self.window = window
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def ask(self, now: float) -> tuple[float, int]:
        """Take a call; return 0 or the seconds to wait (refused), and how many are left."""
        with self._lock:
            while self._times and self._times[0] <= now - self.window:
                self._times.popleft()
            if len(self._times) >= self.calls:
                return self._times[0] + self.window - now, 0
            self._times.append(now)
            return 0.0, self.calls - len(self._times)
