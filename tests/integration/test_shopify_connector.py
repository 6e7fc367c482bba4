"""The Shopify connector against the simulated shop, over real sockets."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Ports, ProofError
from syncworkers.connectors.shopify import Shopify
from syncworkers.engine.budgets import LocalBudget
from syncworkers.errors import CredentialsError, RejectedError, RetryableError
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.shopify import app as shopify
from syncworkers.sandbox.shopify.books import now_text
from syncworkers.sandbox.shopify.maker import OrderMaker
from tests.integration.world import SHOP, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncworkers.connectors.base import Token

BODY = b'{"id": 450789469}'
SECRET = "present-secret"
PATIENCE = 2.0
"""Seconds a call may take: long enough for a busy machine, short enough for a test of a hang."""


class Tokens:
    """Tokens of this process alone."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str, fetch: Callable[[], Token]) -> str:
        if name not in self.kept:
            self.kept[name] = fetch().value
        return self.kept[name]

    def drop(self, name: str, token: str) -> None:
        if self.kept.get(name) == token:
            del self.kept[name]


def connector(address: str, **changes: str) -> Shopify:
    connection = {
        "url": address,
        "shop": SHOP,
        "api_version": "2026-07",
        "client_id": "app",
        "client_secret": SECRET,
        "previous_client_secret": "former-secret",
    }
    policy = PartnerPolicy(
        name="shopify-us",
        connector="shopify",
        role="store",
        brand="acme",
        connection={**connection, **changes},
        lane=LanePolicy(call_deadline=PATIENCE),
    )
    return Shopify(policy, Ports(tokens=Tokens(), budget=LocalBudget(maximum=2000.0, rate=1000.0)))


@contextmanager
def running(speed: float = 100.0, webhook_url: str = "") -> Iterator[tuple[shopify.Shop, Shopify]]:
    shop = shopify.build(
        FaultPlan(level="none", seed=1),
        shop=SHOP,
        webhook_url=webhook_url,
        client_id="app",
        client_secret=SECRET,
        speed=speed,
        caller_deadline=PATIENCE,
    )
    with serving(shop.program) as url:
        made = connector(url)
        yield shop, made
        made.close()


def fill(shop: shopify.Shop, count: int) -> list[dict[str, Any]]:
    maker = OrderMaker(5)
    orders = [maker.make(now_text()) for _ in range(count)]
    for order in orders:
        shop.customers.place(order, topic=None)
    return orders


def window() -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return now - dt.timedelta(minutes=5), now + dt.timedelta(minutes=5)


def signed(body: bytes, secret: str = SECRET, **changes: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers = {
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-shop-domain": SHOP,
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "w-1",
        "x-shopify-event-id": "e-1",
        "x-shopify-api-version": "2026-07",
    }
    return {**headers, **changes}


def test_a_signed_webhook_is_described() -> None:
    found = connector("http://127.0.0.1:9").receive(signed(BODY), BODY)

    assert (found.external_id, found.topic, found.entity) == ("w-1", "orders/create", "450789469")
    assert (found.event_id, found.contract) == ("e-1", "2026-07")


def test_the_former_secret_still_signs_after_a_rotation() -> None:
    found = connector("http://127.0.0.1:9").receive(signed(BODY, "former-secret"), BODY)

    assert found.external_id == "w-1"


def test_the_headers_of_events_without_their_x_are_read_too() -> None:
    headers = {name.removeprefix("x-"): value for name, value in signed(BODY).items()}

    assert connector("http://127.0.0.1:9").receive(headers, BODY).external_id == "w-1"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        (signed(BODY, "guessed"), "wrong"),
        (signed(b"other"), "wrong"),
        (signed(BODY, **{"x-shopify-hmac-sha256": "é" * 44}), "wrong"),
        (signed(BODY, **{"x-shopify-shop-domain": "evil.myshopify.com"}), "another shop"),
    ],
)
def test_a_webhook_without_right_proof_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        connector("http://127.0.0.1:9").receive(headers, BODY)


def test_a_signed_body_that_cannot_be_read_is_described_all_the_same() -> None:
    found = connector("http://127.0.0.1:9").receive(signed(b"{oops"), b"{oops")

    assert (found.kind, found.entity) == ("order", "orders/create:w-1")


def test_a_webhook_without_an_id_is_told_apart_by_what_it_says() -> None:
    made = connector("http://127.0.0.1:9")
    ids = [
        made.receive(signed(body, **{"x-shopify-webhook-id": ""}), body).external_id
        for body in (BODY, BODY, b'{"id": 2}')
    ]

    assert ids[0] == ids[1] != ids[2]


def test_changed_orders_come_in_pages_to_the_last() -> None:
    with running() as (shop, made):
        fill(shop, 260)

        pages = list(made.changed("order", *window()))

    assert [len(page) for page in pages] == [250, 10]
    assert len({one.external_id for page in pages for one in page}) == 260


def test_whole_orders_are_read_and_absent_ones_left_out() -> None:
    with running() as (shop, made):
        orders = fill(shop, 7)
        ids = [str(order["id"]) for order in orders]

        records = made.fetch("order", [*ids, "404"])

    assert [record.external_id for record in records] == ids
    assert json.loads(records[0].body)["name"] == orders[0]["name"]


@pytest.mark.parametrize(
    ("fault", "after"), [("throttle", 2.0), ("server_error", 2.0), ("reset", None)]
)
def test_a_failed_read_may_be_done_again(fault: str, after: float | None) -> None:
    with running() as (shop, made):
        shop.plan.switch({"next": [fault, fault]})

        with pytest.raises(RetryableError) as error:
            made.fetch("order", ["1"])

    assert error.value.after == after
    assert error.value.throttled is (fault == "throttle")


def test_a_call_that_hangs_is_given_up_at_its_deadline() -> None:
    with running() as (shop, made):
        shop.plan.switch({"next": ["timeout_before"]})

        with pytest.raises(RetryableError, match="timed out"):
            made.fetch("order", ["1"])


def test_an_old_token_is_renewed_once_and_unseen() -> None:
    with running() as (shop, made):
        fill(shop, 1)
        assert len(list(made.changed("order", *window()))) == 1
        shop.tokens.revoke_all()

        assert len(list(made.changed("order", *window()))) == 1
        assert shop.tokens.issued == 2


def test_wrong_credentials_are_said_without_the_secret() -> None:
    with running() as (_, made):
        wrong = connector(made._settings.url, client_secret="not-the-secret")

        with pytest.raises(CredentialsError) as error:
            wrong.fetch("order", ["1"])

    assert "not-the-secret" not in str(error.value)


def test_an_empty_cost_bucket_makes_the_shop_say_throttled() -> None:
    with running() as (shop, made):
        fill(shop, 3)
        while shop.bucket.take(50.0)[0]:
            pass
        shop.bucket.restore_rate = 1.0

        with pytest.raises(RetryableError) as error:
            list(made.changed("order", *window()))

    assert error.value.throttled
    assert (error.value.after or 0) > 100


def test_an_unknown_api_version_is_refused_with_what_to_look_at() -> None:
    with running() as (_, made):
        old = connector(made._settings.url, api_version="2024-01")

        with pytest.raises(RejectedError, match="api_version"):
            old.fetch("order", ["1"])


def test_the_doctor_finds_nothing_wrong_and_says_what_is() -> None:
    with running() as (_, made):
        assert made.check() == []
        url = made._settings.url
        assert "answers as acme-us" in connector(url, shop="other.myshopify.com").check()[0]
    assert "cannot be read" in made.check()[0]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("url", "ftp://x", "https address"),
        ("api_version", "2026-08", "quarters"),
        ("shop", "", "not empty"),
        ("tokn", "x", "not known"),
    ],
)
def test_wrong_settings_are_named_at_the_start(key: str, value: str, told: str) -> None:
    with pytest.raises(ValueError, match=rf"config/partners/shopify-us.toml: .*{key}.*{told}"):
        connector("http://127.0.0.1:9", **{key: value})


def test_the_true_limits_of_a_standard_shop_hold_at_speed_one() -> None:
    with running(speed=1.0) as (shop, _):
        assert (shop.bucket.maximum, shop.bucket.restore_rate) == (2000.0, 100.0)
        taken = [shop.bucket.take(500.0)[0] for _ in range(5)]

    assert taken == [True, True, True, True, False]


def test_missing_subscriptions_are_created_and_only_what_is_subscribed_is_sent() -> None:
    heard: list[str] = []

    def listen(environ: Any, start: Any) -> Any:
        heard.append(environ["HTTP_X_SHOPIFY_TOPIC"])
        start("200 OK", [])
        return [b""]

    with running() as (shop, by_hand), serving(listen) as us:
        made = connector(by_hand._settings.url, webhook_url=f"{us}/webhooks/shopify-us")

        assert made.missing_subscriptions() == [
            "orders/cancelled",
            "orders/create",
            "orders/updated",
        ]
        assert made.subscribe() == ["orders/cancelled", "orders/create", "orders/updated"]
        assert made.subscribe() == []
        shop.sender.unsubscribe("orders/updated")
        assert made.missing_subscriptions() == ["orders/updated"]
        shop.sender.send("orders/updated", {"id": 1})
        shop.sender.send("orders/create", {"id": 1})
        while shop.sender.pending():
            pass

        assert heard == ["orders/create"]
        assert by_hand.missing_subscriptions() == []
