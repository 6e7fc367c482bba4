"""Gathering: what threads want at the same moment is done in one go, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from syncworkers.engine.gathering import Gathering


class Slow:
    """Work that lasts until it is let go; it remembers what it was given together."""

    def __init__(self) -> None:
        self.lists: list[list[int]] = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, items: list[int]) -> list[int]:
        self.lists.append(items)
        self.begun.set()
        assert self.go.wait(5)
        if 13 in items:
            raise ValueError(13)
        return [item * 10 for item in items]


def ask(
    pool: ThreadPoolExecutor, gathering: Gathering[int, int], item: int, patience: float = 5.0
) -> Future[int]:
    return pool.submit(gathering.do, item, patience=patience, limit=5.0)


def wait_until(so: object) -> None:
    for _ in range(500):
        if so():  # type: ignore[operator]
            return
        threading.Event().wait(0.01)
    raise AssertionError


def test_who_comes_while_work_is_done_goes_together_next() -> None:
    work = Slow()
    gathering = Gathering(work)

    with ThreadPoolExecutor(4) as pool:
        first = ask(pool, gathering, 1)
        assert work.begun.wait(5)
        others = [ask(pool, gathering, item) for item in (2, 3, 4)]
        wait_until(lambda: len(gathering._waiting) == 3)
        work.go.set()

        assert first.result(5) == 10
        assert [one.result(5) for one in others] == [20, 30, 40]
    assert work.lists[0] == [1]
    assert sorted(work.lists[1]) == [2, 3, 4]
    assert len(work.lists) == 2


def test_an_error_is_that_of_everybody_in_the_list_and_of_nobody_else() -> None:
    work = Slow()
    gathering = Gathering(work)

    with ThreadPoolExecutor(4) as pool:
        first = ask(pool, gathering, 1)
        assert work.begun.wait(5)
        others = [ask(pool, gathering, item) for item in (13, 14)]
        wait_until(lambda: len(gathering._waiting) == 2)
        work.go.set()

        assert first.result(5) == 10
        for one in others:
            with pytest.raises(ValueError, match="13"):
                one.result(5)
        assert ask(pool, gathering, 5).result(5) == 50


def test_who_has_no_patience_left_is_not_worked_for() -> None:
    work = Slow()
    gathering = Gathering(work)

    with ThreadPoolExecutor(2) as pool:
        first = ask(pool, gathering, 1)
        assert work.begun.wait(5)
        with pytest.raises(TimeoutError):
            gathering.do(2, patience=0.05, limit=5.0)
        work.go.set()

        assert first.result(5) == 10
    assert work.lists == [[1]]
    assert gathering.do(3, patience=1.0, limit=1.0) == 30
