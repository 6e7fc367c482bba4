"""Partners that ask before they send, and senders that cannot be checked just now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.errors import RetryableError
from syncworkers.web import create_app
from tests.integration.gateway_running import (  # noqa: F401 - fixtures
    Shop,
    call,
    open_fleet,
    post,
    production_logs,
    serving,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.base import Received
    from syncworkers.flows.fleet import Fleet


class Polite(Shop):
    """Asks whether it may send; the keys that prove it are away."""

    def greet(self, query: Mapping[str, str]) -> str | None:
        return query.get("challenge")

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        message = "the keys cannot be read"
        raise RetryableError(message)


def polite(fleet: Fleet) -> Fleet:
    shop = replace(fleet.partners["shop"], connection=Polite())
    return replace(fleet, partners={**fleet.partners, "shop": shop})


def test_a_partner_that_asks_first_is_answered_with_what_it_said(fleet: Fleet) -> None:
    with serving(create_app(polite(fleet))) as port:
        asked = call(port, "GET", "/webhooks/shop?challenge=a%0d%0a<b>")
        long = call(port, "GET", f"/webhooks/shop?challenge={'x' * 5000}")
        nothing = call(port, "GET", "/webhooks/shop")

    assert (asked.status, asked.body) == (200, b"a\r\n<b>")
    assert asked.headers["content-type"] == "text/plain; charset=utf-8"
    assert asked.headers["x-content-type-options"] == "nosniff"
    assert len(long.body) == 1000
    assert nothing.status == 405


def test_whoever_does_not_ask_gets_no_answer_to_a_question(fleet: Fleet) -> None:
    with serving(create_app(fleet)) as port:
        answers = [
            call(port, "GET", f"/webhooks/{name}?challenge=x") for name in ("shop", "erp", "none")
        ]

    assert [one.status for one in answers] == [405, 405, 405]


def test_a_sender_that_cannot_be_checked_just_now_shall_come_again(fleet: Fleet) -> None:
    with serving(create_app(polite(fleet))) as port:
        answer = post(port, b"{}")

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert stored(fleet) == []
