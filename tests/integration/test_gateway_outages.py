"""The gateway while its database is away, silent, or locked; and what it says of itself."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from syncworkers import bootstrap
from syncworkers.flows.fleet import Fleet
from syncworkers.web import create_app
from syncworkers.web.patience import WhenReady, impatient

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.integration.gateway_running import (  # noqa: F401 - fixtures
    call,
    open_fleet,
    open_gateway,
    post,
    production_logs,
    serving,
    stored,
)


@contextmanager
def away(fleet: Fleet, url: str) -> Iterator[Fleet]:
    """The gateway's fleet, with its database somewhere else."""
    hurried = impatient(replace(fleet, database=bootstrap.connect(url)))
    yield hurried
    hurried.database.dispose()


@contextmanager
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_database_that_refuses_gets_503_and_a_time_to_come_back(fleet: Fleet) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"

    with away(fleet, nowhere) as gone, serving(create_app(gone)) as port:
        answer = post(port, b'{"id": 1001}')
        ready = call(port, "GET", "/readyz")
        status = call(port, "GET", "/api/v1/status")
        alive = call(port, "GET", "/healthz")
        metrics = call(port, "GET", "/metrics")

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert sorted(answer.json) == ["error", "remedy"]
    assert (ready.status, ready.json["ok"]) == (503, False)
    assert status.status == 503
    assert alive.status == 200
    assert b"syncworkers_up 0.0" in metrics.body


def test_a_database_that_is_silent_gets_503_within_three_seconds(fleet: Fleet) -> None:
    with mute_port() as port_of_database:
        silent = f"postgresql+psycopg://nobody@127.0.0.1:{port_of_database}/none"
        with away(fleet, silent) as gone, serving(create_app(gone)) as port:
            began = time.monotonic()
            answer = post(port, b'{"id": 1001}')
            took = time.monotonic() - began

    assert answer.status == 503
    assert took < 3


def test_a_locked_table_gets_503_within_three_seconds(fleet: Fleet) -> None:
    same = fleet.database.url.render_as_string(hide_password=False)
    with (
        away(fleet, same) as hurried,
        serving(create_app(hurried)) as port,
        fleet.database.begin() as blocker,
    ):
        blocker.execute(sa.text("LOCK TABLE line IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        answer = post(port, b'{"id": 1001}')
        took = time.monotonic() - began

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert took < 3
    assert stored(fleet) == []


def test_an_exhausted_pool_gets_503_within_three_seconds(fleet: Fleet) -> None:
    small = sa.create_engine(fleet.database.url, pool_size=1, max_overflow=0, pool_timeout=1.0)

    with small.connect(), serving(create_app(replace(fleet, database=small))) as port:
        answer = post(port, b'{"id": 1001}')

    small.dispose()
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_readyz_is_well_on_an_empty_fleet(gateway: int) -> None:
    answer = call(gateway, "GET", "/readyz")

    assert (answer.status, answer.json) == (200, {"ok": True, "reasons": []})


def due_since(fleet: Fleet, seconds: int) -> None:
    with fleet.session() as session:
        session.execute(
            sa.text(
                "INSERT INTO line (lane, key, pending, due_at)"
                " VALUES (:lane, 7, 2, now() - make_interval(secs => :seconds))"
            ),
            {"lane": fleet.lanes["orders.process"].id, "seconds": seconds},
        )


def test_readyz_names_the_lane_whose_work_waits_too_long(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 1000)

    answer = call(gateway, "GET", "/readyz")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json["reasons"][0].startswith("orders.process: work is due since 1000 s")


def test_a_paused_lane_does_not_make_the_gateway_unready(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 1000)
    with fleet.session() as session:
        session.execute(
            sa.text("UPDATE lane SET paused_until = 'infinity', paused_reason = 'a person'")
        )

    assert call(gateway, "GET", "/readyz").status == 200


def test_readyz_asks_for_the_migration(fleet: Fleet, gateway: int) -> None:
    with fleet.session() as session:
        kept = session.execute(sa.text("DELETE FROM alembic_version RETURNING version_num")).all()
    try:
        answer = call(gateway, "GET", "/readyz")
    finally:
        with fleet.session() as session:
            session.execute(
                sa.text("INSERT INTO alembic_version VALUES (:version)"),
                [{"version": row.version_num} for row in kept],
            )

    assert answer.status == 503
    assert "syncworkers db upgrade" in answer.json["reasons"][0]


def test_metrics_and_status_tell_the_same_figures(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 60)
    post(gateway, b'{"id": 1}', message="m-1")
    post(gateway, b'{"id": 1}', message="m-1")
    call(gateway, "POST", "/webhooks/shop", b"{}")
    post(gateway, b'{"id": 2}', topic="carts/update")

    metrics = call(gateway, "GET", "/metrics").body.decode().splitlines()
    status = call(gateway, "GET", "/api/v1/status").json

    me = os.getpid()
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="accepted"}} 2.0'
        in metrics
    )
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="duplicate"}} 1.0'
        in metrics
    )
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="forged"}} 1.0'
        in metrics
    )
    assert 'syncworkers_lane_rows{lane="orders.process"} 3.0' in metrics
    assert 'syncworkers_lane_lines{lane="orders.process",state="waiting"} 2.0' in metrics
    assert 'syncworkers_parked_rows{table="message"} 1.0' in metrics
    assert "syncworkers_open_cases 0.0" in metrics
    (lane,) = [lane for lane in status["lanes"] if lane["name"] == "orders.process"]
    assert (lane["rows"], lane["lines"], lane["leased"], lane["paused"]) == (3, 2, 0, False)
    assert 60 <= lane["oldest_due_seconds"] < 90
    assert status["parked"] == {"message": 1, "delivery": 0}


def test_the_api_describes_itself(gateway: int) -> None:
    answer = call(gateway, "GET", "/api/openapi.json")

    assert answer.status == 200
    assert list(answer.json["paths"]) == ["/api/v1/status"]


def test_a_gateway_with_a_wrong_configuration_does_not_start() -> None:
    def compose() -> Any:
        message = "the configuration is wrong"
        raise ValueError(message)

    with pytest.raises(ValueError, match="the configuration is wrong"):
        WhenReady(compose)


def test_a_gateway_started_before_its_database_answers_503_until_it_comes(fleet: Fleet) -> None:
    there: list[Fleet] = []

    def compose() -> Any:
        if not there:
            raise sa.exc.OperationalError("SELECT 1", {}, OSError("refused"))
        return create_app(there[0])

    with serving(WhenReady(compose)) as port:
        before = [call(port, "GET", path).status for path in ("/healthz", "/readyz")]
        refused = post(port, b'{"id": 1001}')
        there.append(fleet)
        time.sleep(1.1)
        after = post(port, b'{"id": 1001}')

    assert before == [200, 503]
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert after.status == 202
