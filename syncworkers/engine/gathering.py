"""Gather what several threads want done at the same moment, and do it in one go.

Whoever comes first begins at once, so nobody waits for company; who comes meanwhile goes together
next. No thread of its own is needed: one of those who wait does it for all.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """One thread's item; it is stirred to lead, or because its result is there."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.stirred = threading.Event()
        self.leads = False
        self.results: list[Result] = []
        """Empty, or the one result."""
        self.error: Exception | None = None


class Gathering(Generic[Item, Result]):
    """Does `work` for lists of items, `at_once` lists at a time; it returns one result for each."""

    def __init__(self, work: Callable[[list[Item]], list[Result]], *, at_once: int = 1) -> None:
        self._work = work
        self._free = at_once
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[Item, Result]] = []

    def do(self, item: Item, *, patience: float, limit: float) -> Result:
        """Return the item's result; an error of the work is raised for each item of its list.

        Raises TimeoutError when work on it has not begun within `patience` seconds, or is not done
        within `limit` more; in the latter case it may still be done.
        """
        mine: _Waiting[Item, Result] = _Waiting(item)
        with self._lock:
            self._waiting.append(mine)
            if self._free:
                self._free -= 1
                mine.leads = True
        if not mine.leads and not mine.stirred.wait(patience):
            self._withdraw(mine)
        if mine.leads:
            self._lead()
        elif not mine.stirred.wait(limit):
            raise TimeoutError("the work takes too long")
        if mine.error is not None:
            raise mine.error
        return mine.results[0]

    def _withdraw(self, mine: _Waiting[Item, Result]) -> None:
        with self._lock:
            if mine in self._waiting and not mine.leads:
                self._waiting.remove(mine)
                raise TimeoutError("others are worked for too long")

    def _lead(self) -> None:
        """Work for all who wait, then let the next one lead."""
        with self._lock:
            together, self._waiting = self._waiting, []
        try:
            results = self._work([one.item for one in together])
            for one, result in zip(together, results, strict=True):
                one.results.append(result)
        except Exception as error:  # noqa: BLE001 - it is raised where the item came from
            for one in together:
                one.error = error
        with self._lock:
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].stirred.set()
            else:
                self._free += 1
        for one in together:
            one.stirred.set()
