"""Leave a partner alone for the rest of a batch: it asked for quiet, or it does not answer."""

from __future__ import annotations

import threading

SILENCES = 3
"""Lost calls in a row after which no other is begun: each would only leave one more outcome open.
"""


class Quiet:
    """Shared by the threads that work through one batch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silences = 0
        self._wanted = False

    @property
    def wanted(self) -> bool:
        """Say whether no further call may begin."""
        return self._wanted

    def ask(self) -> None:
        """Note that the partner asked for quiet."""
        self._wanted = True

    def note(self, *, answered: bool) -> None:
        """Note whether a call was answered at all, whatever the answer was."""
        with self._lock:
            self._silences = 0 if answered else self._silences + 1
            self._wanted = self._wanted or self._silences >= SILENCES
