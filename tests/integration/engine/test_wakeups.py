"""Hints over a real Redis: coalesced, spent by a look, and worth nothing when Redis is away."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from syncworkers.engine.attend import Look, attend
from syncworkers.engine.budgets import LocalBudget, SharedBudget
from syncworkers.engine.tokens import SharedTokens
from syncworkers.engine.wakeups import ATTENDED_MS, RedisWaker
from tests.integration.engine.toys import open_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

NOWHERE = "redis://127.0.0.1:9/0"


class Sent:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.lanes: list[str] = []

    def __call__(self, lanes: Sequence[str]) -> None:
        self.lanes += lanes


def until(true: Callable[[], bool], seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        threading.Event().wait(0.01)
    return False


def test_a_hint_for_an_idle_lane_is_sent_at_once(redis_client: Redis) -> None:
    sent = Sent()
    waker = RedisWaker(redis_client, sent)

    waker.notify(["toys"])

    assert until(lambda: sent.lanes == ["toys"])
    waker.close()


def test_hundreds_of_hints_cost_a_handful_of_messages(redis_client: Redis) -> None:
    sent = Sent()
    wakers = [RedisWaker(redis_client, sent) for _ in range(3)]

    for _ in range(300):
        for waker in wakers:
            waker.notify(["toys"])
    threading.Event().wait(0.3)

    assert len(sent.lanes) <= 3
    for waker in wakers:
        waker.close()


def test_a_hint_is_spent_by_the_next_look(redis_client: Redis) -> None:
    sent = Sent()
    waker = RedisWaker(redis_client, sent)
    waker.look("toys", "somebody")
    waker.notify(["toys"])
    threading.Event().wait(0.15)

    waker.look("toys", "somebody")
    threading.Event().wait(2.5 * ATTENDED_MS / 1000)

    assert sent.lanes == []
    waker.close()


def test_a_hint_that_nobody_looks_after_is_sent_again(redis_client: Redis) -> None:
    """The worker that looks is busy for long: another one is called."""
    sent = Sent()
    waker = RedisWaker(redis_client, sent)
    waker.look("toys", "busy")

    waker.notify(["toys"])

    assert until(lambda: sent.lanes == ["toys"], seconds=3 * ATTENDED_MS / 1000)
    waker.close()


def test_whoever_leaves_frees_its_place_at_once(redis_client: Redis) -> None:
    sent = Sent()
    waker = RedisWaker(redis_client, sent)
    waker.look("toys", "me")
    waker.leave("toys", "somebody else")
    assert redis_client.get("attended:toys") == b"me"

    waker.leave("toys", "me")
    waker.notify(["toys"])

    assert until(lambda: sent.lanes == ["toys"], seconds=ATTENDED_MS / 2000)
    waker.close()


def test_only_one_worker_lingers_by_a_lane(redis_client: Redis) -> None:
    waker = RedisWaker(redis_client, Sent())

    assert waker.attend("toys", "first") is True
    assert waker.attend("toys", "second") is False
    assert waker.attend("toys", "first") is True


def test_without_redis_hints_are_lost_and_nobody_waits_or_fails() -> None:
    away = Redis.from_url(NOWHERE, socket_timeout=0.2, socket_connect_timeout=0.2)
    sent = Sent()
    waker = RedisWaker(away, sent)
    began = time.monotonic()

    waker.notify(["toys"])
    waker.look("toys", "me")
    assert waker.attend("toys", "me") is False
    waker.rest("toys", 0.1)
    waker.leave("toys", "me")
    waker.close()

    assert time.monotonic() - began < 3.0
    assert sent.lanes == []


def test_a_publisher_that_fails_costs_the_hint_and_nothing_else(redis_client: Redis) -> None:
    def broken(_: Sequence[str]) -> None:
        raise ConnectionError

    waker = RedisWaker(redis_client, broken)

    waker.notify(["toys"])
    threading.Event().wait(0.2)
    waker.notify(["toys"])

    waker.close()


def test_a_worker_looks_until_the_lane_is_empty_and_lingers(
    database: sa.Engine, redis_client: Redis
) -> None:
    lane = open_lane(database, linger=0.3)
    waker = RedisWaker(redis_client, Sent())
    found = iter([5, 3, 0, 2] + [0] * 100)

    worked = attend(lane, waker, lambda: Look(next(found)), who="me")

    assert worked == 10
    assert redis_client.get("attended:toys") is None


def test_whoever_lingers_is_stirred_by_a_hint(redis_client: Redis) -> None:
    sent = Sent()
    waker = RedisWaker(redis_client, sent)
    assert waker.attend("toys", "me") is True

    threading.Timer(0.05, lambda: waker.notify(["toys"])).start()
    began = time.monotonic()
    waker.rest("toys", 0.45)

    assert time.monotonic() - began < 0.4
    assert sent.lanes == []
    waker.close()


def test_many_hints_stir_once(redis_client: Redis) -> None:
    waker = RedisWaker(redis_client, Sent())
    assert waker.attend("toys", "me") is True
    for _ in range(20):
        waker.notify(["toys"])
        threading.Event().wait(0.005)

    waker.rest("toys", 0.4)
    began = time.monotonic()
    waker.rest("toys", 0.2)

    assert time.monotonic() - began > 0.15
    waker.close()


def test_a_budget_is_shared_by_all_workers(redis_client: Redis) -> None:
    workers = [SharedBudget(redis_client, "erp", maximum=10.0, rate=1.0) for _ in range(2)]

    waits = [workers[n % 2].take() for n in range(11)]

    assert waits[:10] == [0.0] * 10
    assert 0.5 < waits[10] <= 1.0


def test_a_budget_adopts_what_the_partner_says(redis_client: Redis) -> None:
    budget = SharedBudget(redis_client, "shop", maximum=1000.0, rate=100.0)

    budget.correct(available=50.0, restore_rate=50.0, maximum=2000.0)

    assert budget.take(40.0) == 0.0
    assert budget.take(60.0) == pytest.approx(1.0, abs=0.1)


def test_without_redis_a_worker_keeps_a_careful_budget_of_its_own() -> None:
    away = Redis.from_url(NOWHERE, socket_timeout=0.2, socket_connect_timeout=0.2)
    budget = SharedBudget(away, "erp", maximum=8.0, rate=4.0)

    waits = [budget.take() for _ in range(3)]

    assert waits[:2] == [0.0, 0.0]
    assert waits[2] > 0.5


def test_a_local_budget_refills_with_time() -> None:
    budget = LocalBudget(maximum=1.0, rate=50.0)

    assert budget.take() == 0.0
    assert 0.0 < budget.take() <= 0.02
    threading.Event().wait(0.03)
    assert budget.take() == 0.0


class Issued:
    def __init__(self, value: str) -> None:
        self.value = value
        self.expires_in = 3600.0


def test_a_token_is_fetched_once_for_the_whole_fleet(redis_client: Redis) -> None:
    fetched: list[str] = []

    def fetch() -> Issued:
        fetched.append("x")
        threading.Event().wait(0.1)
        return Issued(f"token-{len(fetched)}")

    values: list[str] = []
    threads = [
        threading.Thread(target=lambda: values.append(SharedTokens(redis_client).get("erp", fetch)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(fetched), set(values)) == (1, {"token-1"})


def test_a_refused_token_is_forgotten_unless_a_newer_one_stands_there(redis_client: Redis) -> None:
    tokens = SharedTokens(redis_client)
    assert tokens.get("erp", lambda: Issued("old")) == "old"
    tokens.drop("erp", "old")
    assert tokens.get("erp", lambda: Issued("new")) == "new"

    tokens.drop("erp", "old")

    assert SharedTokens(redis_client).get("erp", lambda: Issued("never")) == "new"
