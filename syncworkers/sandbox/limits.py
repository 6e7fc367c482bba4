"""A partner's request limit: so many in a window, and a wait that grows when pressed."""

from __future__ import annotations

import threading
from collections import deque


class WindowLimit:
    """At most `requests` in `window` seconds; time is given, in seconds."""

    def __init__(self, requests: float, window: float) -> None:
        self.requests = max(1, int(requests))
        self.window = window
        self._times: deque[float] = deque()
        self._pressed = 0
        self._lock = threading.Lock()

    def ask(self, now: float) -> float:
        """Take a request; return 0, or the seconds of Retry-After (refused)."""
        with self._lock:
            while self._times and self._times[0] <= now - self.window:
                self._times.popleft()
            if len(self._times) < self.requests:
                self._times.append(now)
                self._pressed = 0
                return 0.0
            self._pressed += 1
            wait = self._times[0] + self.window - now
            return wait * min(self._pressed, 5)
