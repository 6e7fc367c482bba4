"""The log of every call a simulated partner received."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any


class CallLog:
    """Counts calls by operation and keeps the latest ones; safe to use from many threads."""

    def __init__(self, keep: int = 5000) -> None:
        self._lock = threading.Lock()
        self._by_operation: Counter[str] = Counter()
        self._latest: list[dict[str, Any]] = []
        self._keep = keep

    def note(self, operation: str, fault: str | None) -> None:
        """Count one call."""
        with self._lock:
            self._by_operation[operation] += 1
            self._latest.append({"at": time.time(), "operation": operation, "fault": fault})
            del self._latest[: -self._keep]

    def books(self) -> dict[str, Any]:
        """Return the part of the books that speaks of calls."""
        with self._lock:
            return {
                "calls": self._by_operation.total(),
                "calls_by_operation": dict(sorted(self._by_operation.items())),
                "call_log": list(self._latest),
            }
