"""Watch a storm from outside: only the partners' own books say what came of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.storm.inflict import Struck

EVERY = 0.5
CHECK_EVERY = 20.0
"""Seconds between looks at whole books: reading them costs the partners something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How far each partner was, `at` seconds after the beginning; counts only ever grow."""

    at: float
    placed: int
    counts: Mapping[str, int]
    """By partner: what stands there because of us."""


@dataclass(slots=True)
class Watch:
    """Samples progress and checks books from a thread of its own.

    `progress` reads how far it is, `never_right` what must not stand in any book at any time.
    """

    progress: Callable[[], tuple[int, Mapping[str, int]]]
    never_right: Callable[[], Sequence[str]]
    samples: list[Sample] = field(default_factory=list)
    wrong: dict[str, float] = field(default_factory=dict)
    """What was seen that is never right, and when it was first seen."""
    checks: int = 0
    _suspected: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        next_check = CHECK_EVERY
        while not self._over.wait(EVERY):
            at = time.monotonic() - began
            placed, counts = self.progress()
            self.samples.append(Sample(at=at, placed=placed, counts=dict(counts)))
            if at >= next_check:
                self._check(at)
                next_check = time.monotonic() - began + CHECK_EVERY

    def _check(self, at: float) -> None:
        """Look at all books. They are not of one moment, so what is wrong is so in two looks."""
        seen = set(self.never_right())
        for one in seen & self._suspected:
            self.wrong.setdefault(one, at)
        self._suspected = seen
        self.checks += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A blow, and the seconds until every partner heard of us again."""

    blow: str
    at: float
    seconds: float | None
    """None where the storm ended before."""


def recoveries(struck: Sequence[Struck], samples: Sequence[Sample]) -> list[Recovery]:
    """Measure after each blow how long it took until work reached every partner again.

    Samples must be of a time in which there is always something to do.
    """
    return [
        Recovery(blow=one.blow.value, at=one.at, seconds=_until_all_grew(one.at, samples))
        for one in struck
    ]


def _until_all_grew(at: float, samples: Sequence[Sample]) -> float | None:
    before: Any = next((one for one in reversed(samples) if one.at <= at), None)
    if before is None:
        return None
    for sample in samples:
        grown = all(sample.counts[name] > count for name, count in before.counts.items())
        if sample.at > at and grown:
            return sample.at - at
    return None
