"""Wake-ups: after a commit, one coalesced hint that a lane has work.

A hint may be lost, doubled or late; the sweep is the guarantee. Redis holds three short-lived keys
per lane: `attended` (somebody looks at the lane within a moment), `looks` (how often anybody began
to look), and `stir` (a nudge for whoever lingers there). A hint is spent once a look began after
it; until then it is sent again, at most twice a second, so that under load a lane costs hardly any
message and never waits behind a busy worker.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import structlog
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redis import Redis

log = structlog.get_logger(__name__)

ATTENDED_MS = 500
RECHECK = 0.1
STIR_MS = 1000
"""A nudge that nobody took is forgotten soon."""
SICK_FOR = 2.0
"""Seconds we leave Redis alone after an error: hints are not worth waiting for."""


class Waker(Protocol):
    """What flows know of wake-ups. No method raises, or waits for Redis longer than a moment."""

    def notify(self, lanes: Iterable[str]) -> None:
        """Say, after the commit, that these lanes have work."""
        ...

    def look(self, lane: str, who: str) -> None:
        """Say that a claim in this lane begins now."""
        ...

    def attend(self, lane: str, who: str) -> bool:
        """Say that we look again within a moment; False if somebody else does already."""
        ...

    def rest(self, lane: str, seconds: float) -> None:
        """Linger by the lane until somebody stirs us, or the seconds are over."""
        ...

    def leave(self, lane: str, who: str) -> None:
        """Say that we do not look again."""
        ...

    def close(self) -> None:
        """Send what is pending and stop."""
        ...


class SweepOnly:
    """The waker of processes that send nothing (the command line): the sweep finds their work."""

    def notify(self, lanes: Iterable[str]) -> None:
        """Leave it to the sweep."""

    def look(self, lane: str, who: str) -> None:
        """Do nothing."""

    def attend(self, lane: str, who: str) -> bool:
        """Stay nowhere."""
        return False

    def rest(self, lane: str, seconds: float) -> None:
        """Wait; nobody stirs us."""
        threading.Event().wait(seconds)

    def leave(self, lane: str, who: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class RedisWaker:
    """Coalesces hints over Redis and sends them from one background thread per process."""

    def __init__(self, redis: Redis, publish: Callable[[Sequence[str]], None]) -> None:
        self._redis = redis
        self._publish = publish
        self._pending: dict[str, int | None] = {}
        self._lock = threading.Lock()
        self._stirred = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._sick_until = 0.0

    def notify(self, lanes: Iterable[str]) -> None:
        """Hand the lanes to the background thread; a request thread never touches Redis."""
        with self._lock:
            for lane in lanes:
                self._pending[lane] = None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
        self._stirred.set()

    def look(self, lane: str, who: str) -> None:
        """Count the look, so that hints given before it are spent."""
        if self._well():
            try:
                with self._redis.pipeline(transaction=False) as pipe:
                    pipe.incr(f"looks:{lane}")
                    pipe.expire(f"looks:{lane}", 3600)
                    # Whoever looks is there for a moment: a longer look lets other workers in.
                    pipe.set(f"attended:{lane}", who, px=ATTENDED_MS)
                    pipe.execute()
            except RedisError as error:
                self._fell_ill(error)

    def attend(self, lane: str, who: str) -> bool:
        """Stand by the lane for a moment, unless somebody else stands there."""
        if not self._well():
            return False
        try:
            if self._redis.set(f"attended:{lane}", who, nx=True, px=ATTENDED_MS):
                return True
            return self._redis.get(f"attended:{lane}") == who.encode()
        except RedisError as error:
            self._fell_ill(error)
            return False

    def rest(self, lane: str, seconds: float) -> None:
        """Wait for a nudge; one that was meant for an earlier look only costs another look."""
        began = time.monotonic()
        if self._well():
            try:
                self._redis.blpop([f"stir:{lane}"], timeout=max(0.01, seconds))
            except RedisError as error:
                self._fell_ill(error)
            else:
                return
        threading.Event().wait(seconds - (time.monotonic() - began))

    def leave(self, lane: str, who: str) -> None:
        """Free the place, if it is ours, so that the next hint is sent at once."""
        if not self._well():
            return
        try:
            if self._redis.get(f"attended:{lane}") == who.encode():
                self._redis.delete(f"attended:{lane}")
        except RedisError as error:
            self._fell_ill(error)

    def close(self) -> None:
        """Send what is pending, briefly."""
        self._closing = True
        self._stirred.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while not self._closing:
            self._stirred.wait()
            self._stirred.clear()
            while self._send_pending() and not self._closing:
                self._stirred.wait(RECHECK)
                self._stirred.clear()

    def _send_pending(self) -> bool:
        """Send the hints whose time it is; say whether some are left to be looked at again."""
        with self._lock:
            noted = dict(self._pending)
        if not noted:
            return False
        try:
            spent, due, new = self._judge(noted)
            if due:
                self._publish(due)
            if new:
                self._stir(new)
        except Exception as error:  # noqa: BLE001 - a hint is never worth an error
            self._fell_ill(error)
            with self._lock:
                self._pending.clear()
            return False
        with self._lock:
            for lane in (*spent, *due):
                if self._pending.get(lane) == noted[lane]:
                    del self._pending[lane]
            return bool(self._pending)

    def _judge(self, noted: dict[str, int | None]) -> tuple[list[str], list[str], list[str]]:
        """Sort lanes: hints already spent, hints to send now, and new ones where somebody attends.

        Of the last the looks are remembered.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for lane in noted:
                pipe.get(f"looks:{lane}")
                pipe.set(f"attended:{lane}", "hint", nx=True, px=ATTENDED_MS)
            answers = pipe.execute()
        spent: list[str] = []
        due: list[str] = []
        new: list[str] = []
        for (lane, before), looks, acquired in zip(
            noted.items(), answers[::2], answers[1::2], strict=True
        ):
            now = int(looks or 0)
            if acquired:
                due.append(lane)
            elif before is not None and now != before:
                spent.append(lane)
            elif before is None:
                new.append(lane)
                with self._lock:
                    if lane in self._pending and self._pending[lane] is None:
                        self._pending[lane] = noted[lane] = now
        return spent, due, new

    def _stir(self, lanes: Sequence[str]) -> None:
        """Nudge whoever lingers by these lanes."""
        with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.rpush(f"stir:{lane}", 1)
                pipe.ltrim(f"stir:{lane}", 0, 0)
                pipe.pexpire(f"stir:{lane}", STIR_MS)
            pipe.execute()

    def _well(self) -> bool:
        return time.monotonic() >= self._sick_until

    def _fell_ill(self, error: Exception) -> None:
        self._sick_until = time.monotonic() + SICK_FOR
        log.warning("wake-ups fail, the sweep takes over", error=str(error))
