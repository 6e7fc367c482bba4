"""Send what a partner sends by itself: retried, not in order, not always, not once.

How a notice is signed and where it goes is the partner's own; how it may go wrong is the same for
all of them.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import urllib3

from syncworkers.sandbox.faults import WebhookFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.sandbox.faults import FaultPlan

THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notification on its way; `headers` are made anew for each try, as signatures are."""

    url: str
    body: bytes
    headers: Callable[[], Mapping[str, str]]
    tries: int = 0


class Notifier:
    """Sends from its own threads; `send` never waits.

    `repeats` are the seconds before each further try; `patience` those for an answer. Notices
    without an address go nowhere, as where nobody subscribed.
    """

    def __init__(
        self, plan: FaultPlan, *, seed: int, repeats: Sequence[float], patience: float
    ) -> None:
        self._plan = plan
        self._repeats = repeats
        self._chance = random.Random(f"webhooks/{seed}")
        timeout = urllib3.Timeout(connect=1.0, read=patience)
        self._pool = urllib3.PoolManager(maxsize=THREADS, retries=False, timeout=timeout)
        self._queue: list[tuple[float, int, Notice]] = []
        self._order = itertools.count()
        self._ready = threading.Condition()
        self._under_way = 0
        self._threads = 0
        self.delivered = 0
        self.given_up = 0

    def send(self, notice: Notice) -> None:
        """Notify, perhaps badly."""
        if not notice.url:
            return
        match self._plan.next_webhook():
            case WebhookFault.LOSE:
                return
            case WebhookFault.DUPLICATE:
                self._put(notice, 0.0)
                for _ in range(self._plan.repeats):
                    self._put(notice, self._chance.uniform(0.0, 1.0))
            case WebhookFault.DELAY:
                self._put(notice, self._chance.uniform(3.0, 6.0))
            case WebhookFault.REORDER:
                self._put(notice, 1.5)
            case _:
                self._put(notice, 0.0)

    def pending(self) -> int:
        """Return how many notices are still on their way."""
        with self._ready:
            return len(self._queue) + self._under_way

    def _put(self, notice: Notice, wait: float) -> None:
        with self._ready:
            heapq.heappush(self._queue, (time.monotonic() + wait, next(self._order), notice))
            while self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._work, daemon=True).start()
            self._ready.notify()

    def _take(self) -> Notice:
        with self._ready:
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._queue)[2]
                self._ready.wait(wait)

    def _work(self) -> None:
        while True:
            notice = self._take()
            good = self._post(notice)
            again = not good and notice.tries < len(self._repeats)
            if again:
                later = replace(notice, tries=notice.tries + 1)
                self._put(later, self._repeats[notice.tries])
            with self._ready:
                self._under_way -= 1
                self.delivered += good
                self.given_up += not good and not again

    def _post(self, notice: Notice) -> bool:
        try:
            answer = self._pool.request(
                "POST", notice.url, body=notice.body, headers=notice.headers(), redirect=False
            )
        except urllib3.exceptions.HTTPError:
            return False
        return 200 <= answer.status < 300
