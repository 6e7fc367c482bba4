"""A part waits for its warehouse to open, and what was promised of it is kept and told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from syncworkers.flows import trace
from tests.integration import world as whole
from tests.integration.world import QUICK, WAREHOUSE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from syncworkers.servers import Servers
    from tests.integration.world import World

TODAY = dt.datetime.now(dt.UTC).date()
CLOSED = [str(TODAY + dt.timedelta(days=n)) for n in (-1, 0, 1)]
"""Nobody works today, nor the days about it."""
CALENDAR = f"""
[calendars.{WAREHOUSE}]
time_zone = "UTC"
working_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
holidays = {CLOSED}
opens = "08:00"
release = "working_time"
transit_days = {{ default = 2 }}
"""
OPENS = dt.datetime.combine(TODAY + dt.timedelta(days=2), dt.time(8), dt.UTC)


@pytest.fixture
def world(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """The warehouse is closed today and tomorrow."""
    urls = running_servers.database_url, running_servers.redis_url
    overlay = QUICK + CALENDAR
    with whole.world(*urls, tmp_path, monkeypatch, overlay=overlay) as started:
        yield started


def book(world: World) -> dict[str, Any]:
    """Have an order booked, and its part looked at."""
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    world.deliver()
    assert world.booked()
    make_due(world)
    world.deliver(WAREHOUSE)
    return order


def make_due(world: World) -> None:
    with world.fleet.database.begin() as connection:
        connection.execute(sa.text("UPDATE line SET due_at = now() WHERE owner IS NULL"))


def test_a_part_waits_until_its_warehouse_opens_and_no_attempt_is_counted(world: World) -> None:
    book(world)

    assert world.parts() == []
    [(due_at, attempts)] = world.rows("SELECT due_at, attempts FROM line")
    assert abs(due_at - OPENS) < dt.timedelta(minutes=1)
    assert attempts == 0
    expected = world.ask("SELECT due_at FROM expectation WHERE name = 'released'")
    assert abs(expected - OPENS - dt.timedelta(hours=1)) < dt.timedelta(minutes=1)

    with world.fleet.database.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET not_before = now() - interval '1 s'"))
    make_due(world)
    world.settle()

    assert len(world.parts()) == 1
    world.assert_sound()


def test_what_is_cancelled_before_its_warehouse_opens_never_gets_there(world: World) -> None:
    order = book(world)
    world.shop.customers.cancel(str(order["id"]))
    world.webhook("orders/cancelled", order)
    world.settle()

    assert world.parts() == []
    assert [one["status"] for one in world.booked()] == ["Canceled"]
    world.assert_sound()


def test_trace_tells_what_was_promised(world: World) -> None:
    order = book(world)

    [story] = trace.trace(world.fleet, str(order["order_number"]))

    assert story.tree is not None
    [part] = story.tree.children
    assert f"released from {OPENS:%a %Y-%m-%d %H:%M} UTC" in part.state
    assert "promised by " in part.state
    assert story.facts.parts[0]["ship_by"] == dt.datetime.combine(
        TODAY + dt.timedelta(days=3), dt.time(0), dt.UTC
    )
