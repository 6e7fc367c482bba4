"""The simulators misbehave as their switches say, on the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from syncworkers.sandbox.faults import SINGLE, CallFault, FaultPlan, WebhookFault
from syncworkers.sandbox.shopify import app as shopify
from tests.end_to_end.test_up import until
from tests.integration.world import SHOP, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "of the shop"
ORDER = {
    "id": 5,
    "created_at": "2026-11-24T10:00:00-05:00",
    "updated_at": "2026-11-24T10:00:00-05:00",
}


class Listener:
    """Where the shop's webhooks go; answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = {
            name: value for name, value in environ.items() if name.startswith("HTTP_X_SHOPIFY")
        }
        self.heard.append({"body": body, "at": time.monotonic(), **names})
        start(self.answers.pop(0) if self.answers else "200 OK", [])
        return [b""]

    @property
    def ids(self) -> list[str]:
        return [one["HTTP_X_SHOPIFY_WEBHOOK_ID"] for one in self.heard]


@contextmanager
def running() -> Iterator[tuple[shopify.Shop, Listener, str]]:
    listener = Listener()
    with serving(listener) as url:
        shop = shopify.build(
            FaultPlan(level="none", seed=1),
            shop=SHOP,
            webhook_url=f"{url}/hook",
            client_id="app",
            client_secret=SECRET,
            caller_deadline=0.8,
        )
        with serving(shop.program) as address:
            yield shop, listener, address


def test_a_webhook_is_signed_and_says_what_it_is() -> None:
    with running() as (shop, listener, _):
        shop.sender.send("orders/create", ORDER)
        [heard] = until(lambda: listener.heard, 5)

    digest = hmac.new(SECRET.encode(), heard["body"], hashlib.sha256).digest()
    assert heard["HTTP_X_SHOPIFY_HMAC_SHA256"] == base64.b64encode(digest).decode()
    assert heard["HTTP_X_SHOPIFY_TOPIC"] == "orders/create"
    assert heard["HTTP_X_SHOPIFY_SHOP_DOMAIN"] == SHOP
    assert json.loads(heard["body"]) == ORDER


def test_webhooks_are_doubled_delayed_reordered_and_lost_as_told() -> None:
    with running() as (shop, listener, _):
        shop.plan.switch({"webhooks": ["duplicate"]})
        shop.sender.send("orders/create", ORDER)
        until(lambda: len(listener.heard) == 2, 5)
        assert len(set(listener.ids)) == 1

        shop.plan.switch({"webhooks": ["lose", "reorder"]})
        for number in (1, 2, 3):
            shop.sender.send("orders/updated", {**ORDER, "id": number})
        until(lambda: len(listener.heard) == 4, 5)
        assert [json.loads(one["body"])["id"] for one in listener.heard[2:]] == [3, 2]
        assert shop.plan.counts() == {
            "webhook.duplicate": 1, "webhook.lose": 1, "webhook.reorder": 1
        }  # fmt: skip


def test_a_webhook_that_is_not_taken_comes_again_unchanged() -> None:
    with running() as (shop, listener, _):
        listener.answers = ["503 Service Unavailable"]
        shop.sender.send("orders/create", ORDER)
        until(lambda: len(listener.heard) == 2, 6)

    first, second = listener.heard
    assert (first["body"], listener.ids[0]) == (second["body"], listener.ids[1])
    assert second["at"] - first["at"] > 1.5


@pytest.mark.parametrize("kind", list(CallFault))
def test_every_fault_of_a_call_shows_on_the_wire(
    kind: CallFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.3)
    monkeypatch.setattr("syncworkers.sandbox.transport.HANG", 1.5)
    with running() as (shop, _, url):
        token = shop.tokens.issue("app", SECRET) or ""
        shop.plan.switch({"next": [kind.value]})
        shop.bucket.restore_rate = 0.0  # so that what ran has left its mark
        began = time.monotonic()
        body = {"query": "{ shop { name } }"}
        headers = {"X-Shopify-Access-Token": token}
        address = f"{url}/admin/api/2026-07/graphql.json"
        try:
            answer = requests.post(address, json=body, headers=headers, timeout=0.8)
        except requests.Timeout:
            seen: object = "timeout"
        except requests.ConnectionError:
            seen = "reset"
        else:
            seen = answer.status_code
        took = time.monotonic() - began
        paid_at_once = shop.bucket.take(0)[1] < 1999.5
        if kind is CallFault.LATE_EFFECT:
            until(lambda: shop.bucket.take(0)[1] < 1999.5, 5)

    expected = {
        CallFault.THROTTLE: 429,
        CallFault.SERVER_ERROR: 503,
        CallFault.RESET: "reset",
        CallFault.OUTAGE: "reset",
        CallFault.TIMEOUT_BEFORE: "timeout",
        CallFault.HANG: "timeout",
        CallFault.TIMEOUT_AFTER: "timeout",
        CallFault.LATE_EFFECT: "timeout",
        CallFault.SLOW: 200,
    }
    assert seen == expected[kind]
    assert paid_at_once is (kind in {CallFault.TIMEOUT_AFTER, CallFault.SLOW})
    assert kind is not CallFault.SLOW or took > 0.1
    assert shop.calls.books()["call_log"][0]["fault"] == kind.value


def test_every_kind_of_fault_is_injected_early_and_one_in_twenty_later() -> None:
    plan = FaultPlan(level="normal", seed=5)
    early = [plan.next_call() for _ in range(32)]
    webhooks = [plan.next_webhook() for _ in range(20)]
    later = [plan.next_call() for _ in range(4000)]

    assert {fault for fault in early if fault} == set(SINGLE)
    assert {fault for fault in webhooks if fault} == set(WebhookFault)
    assert 140 < sum(fault is not None for fault in later) < 260


def test_the_same_seed_makes_the_same_faults() -> None:
    plans = [FaultPlan(level="normal", seed=9) for _ in range(2)]

    assert [plans[0].next_call() for _ in range(200)] == [plans[1].next_call() for _ in range(200)]


def test_wrong_switches_are_refused() -> None:
    with running() as (_, __, url):
        for switches in ({"next": ["meteor"]}, {"colour": 1}, {"level": "hurricane"}):
            answer = requests.post(f"{url}/_sandbox/faults", json=switches, timeout=5)
            assert answer.status_code == 400
