"""Nothing personal leaves with an error report; without a DSN nothing leaves at all."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import sentry_sdk
import structlog
from flask import Flask, request
from sentry_sdk.transport import Transport

from syncworkers import logs, sentry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_sdk.envelope import Envelope

DSN = "http://public@127.0.0.1:9/1"
CUSTOMER = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+44 20 7946 0958"}
SIGNED = {"Authorization": "Bearer s3cret", "Cookie": "id=s3cret"}
ADDRESS = "/webhooks/shopify-us?signature=s3cret"
PERSONAL = ("Lovelace", "ada@example.com", "+44 20 7946 0958", "s3cret", "St James")


class Outbox(Transport):
    """A transport that keeps what would have left."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    """Sentry switched on with a transport that keeps everything."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("production")
    kept = Outbox()
    assert sentry.init(DSN, "test", transport=kept)
    yield kept
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_isolation_scope().clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def events(outbox: Outbox) -> list[dict[str, Any]]:
    return [
        item.payload.json  # type: ignore[misc]
        for envelope in outbox.sent
        for item in envelope.items
        if item.type == "event"
    ]


def assert_nothing_personal(outbox: Outbox) -> None:
    whole = b"".join(envelope.serialize() for envelope in outbox.sent).decode()
    assert [word for word in PERSONAL if word in whole] == []


def test_without_a_dsn_nothing_is_started() -> None:
    assert sentry.init("", "production") is False
    assert sentry.init(None, "production") is False

    assert not sentry_sdk.is_initialized()


def test_an_exception_keeps_its_place_and_loses_variables_and_parameters(outbox: Outbox) -> None:
    def fail(customer: dict[str, str]) -> None:
        message = f"no account\n[parameters: {customer}]"
        raise ValueError(message)

    with logs.bound(partner="d365-main", lane="orders.deliver:d365-main", correlation_id="c-1"):
        try:
            fail(CUSTOMER)
        except ValueError:
            sentry_sdk.capture_exception()

    (event,) = events(outbox)
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "no account\n[redacted]")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert "vars" not in error["stacktrace"]["frames"][-1]
    assert event["tags"] == {
        "partner": "d365-main",
        "lane": "orders.deliver:d365-main",
        "correlation_id": "c-1",
    }
    assert_nothing_personal(outbox)


def test_a_request_that_fails_leaves_without_body_headers_and_address(outbox: Outbox) -> None:
    app = Flask("t")

    @app.post("/webhooks/<partner>")
    def receive(partner: str) -> str:
        body = request.get_data()
        assert body
        raise RuntimeError("a fault of ours")

    answer = app.test_client().post(ADDRESS, data=json.dumps(CUSTOMER), headers=SIGNED)

    assert answer.status_code == 500
    (event,) = events(outbox)
    assert event["exception"]["values"][0]["value"] == "a fault of ours"
    assert "request" not in event
    assert_nothing_personal(outbox)


def test_an_error_line_becomes_an_event_of_its_cause_without_its_fields(outbox: Outbox) -> None:
    structlog.get_logger("t").error(
        "exception case",
        partner="shopify-us",
        code="item.unmapped",
        correlation_id="c-2",
        customer_email="ada@example.com",
        note="ship to 12 St James Sq",
    )

    (event,) = events(outbox)
    assert event["logentry"] == {"message": "exception case"}
    assert event["fingerprint"] == ["exception case", "shopify-us", "item.unmapped"]
    assert event["tags"] == {"partner": "shopify-us", "correlation_id": "c-2"}
    assert_nothing_personal(outbox)


def test_breadcrumbs_say_what_happened_and_not_with_what(outbox: Outbox) -> None:
    sentry_sdk.add_breadcrumb(
        category="http", message="GET for ada@example.com", data={"body": "Lovelace"}
    )
    logging.getLogger("partner").warning("called +44 20 7946 0958")
    sentry_sdk.capture_message("stop")

    (event,) = events(outbox)
    messages = [crumb["message"] for crumb in event["breadcrumbs"]["values"]]
    assert messages == ["GET for [redacted]", "called [redacted]"]
    assert_nothing_personal(outbox)


def test_user_and_extra_never_leave(outbox: Outbox) -> None:
    sentry_sdk.set_user({"email": "ada@example.com", "ip_address": "10.1.2.3"})
    sentry_sdk.set_context("customer", {"name": "Ada Lovelace"})
    sentry_sdk.set_extra("note", "s3cret")
    sentry_sdk.capture_message("token=s3cret refused")

    (event,) = events(outbox)
    assert "user" not in event
    assert "extra" not in event
    assert "10.1.2.3" not in json.dumps(event)
    assert event["message"] == "token=[redacted] refused"
    assert_nothing_personal(outbox)
