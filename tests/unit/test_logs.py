"""Nothing personal or secret reaches a log line, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
import threading
from typing import Any

import pytest
import structlog

from syncworkers import logs


@pytest.fixture
def production() -> Any:
    """Logs as production writes them, into a buffer; the process's own logging is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    buffer = io.StringIO()
    logs.configure("production", stream=buffer)
    yield buffer
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def fail(message: str) -> None:
    raise RuntimeError(message)


def lines(buffer: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in buffer.getvalue().splitlines()]


def test_a_line_is_json_with_what_was_bound_around_it(production: io.StringIO) -> None:
    with logs.bound(partner="shopify-us", lane="orders.process", correlation_id=None):
        structlog.get_logger("syncworkers.flows").info("stored", rows=3)

    (line,) = lines(production)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "stored",
        "level": "info",
        "logger": "syncworkers.flows",
        "partner": "shopify-us",
        "lane": "orders.process",
        "rows": 3,
    }


def test_binding_ends_with_its_block_and_stays_in_its_thread(production: io.StringIO) -> None:
    log = structlog.get_logger("t")
    with logs.bound(partner="shopify-us"):
        other = threading.Thread(target=log.info, args=("elsewhere",))
        other.start()
        other.join()
    log.info("after")

    assert [line.get("partner") for line in lines(production)] == [None, None]


def test_loggers_of_libraries_go_the_same_way(production: io.StringIO) -> None:
    with logs.bound(partner="d365-main"):
        logging.getLogger("kombu").warning("connecting to %s", "redis://:hunter2@10.0.0.1/0")

    (line,) = lines(production)
    assert line["event"] == "connecting to redis://[redacted]@10.0.0.1/0"
    assert line["partner"] == "d365-main"
    assert line["level"] == "warning"


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "accessToken",
        "client_secret",
        "Authorization",
        "X-Shopify-Hmac-Sha256",
        "password",
        "api_key",
        "email",
        "customer_email",
        "phone",
        "shippingAddress",
        "address1",
        "firstName",
        "last_name",
        "zip",
        "payload",
        "body",
        "Set-Cookie",
    ],
)
def test_values_under_sensitive_keys_are_redacted_at_any_depth(key: str) -> None:
    assert logs.scrub({"outer": [{key: "Ada Lovelace"}]}) == {"outer": [{key: "[redacted]"}]}


@pytest.mark.parametrize(
    "key", ["partner", "code", "order", "sku", "line", "entity", "attempts", "idempotency_key"]
)
def test_values_we_need_to_read_stay(key: str) -> None:
    assert logs.scrub({key: "US5182437124"}) == {key: "US5182437124"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail ada@example.com bounced", "mail [redacted] bounced"),
        ("call +44 20 7946 0958 now", "call [redacted] now"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted]"),
        ("header Bearer abcdef123456 refused", "header Bearer [redacted] refused"),
        ('{"access_token": "xyz", "rows": 3}', '{"access_token": [redacted], "rows": 3}'),
        ("client_secret=s3cret&grant=x", "client_secret=[redacted]&grant=x"),
        ("using shpat_0123456789abcdef", "using [redacted]"),
        ("postgresql://app:pw@db/sync away", "postgresql://[redacted]@db/sync away"),
        ("order US5182437124 at 2026-11-24 10:00:00", "order US5182437124 at 2026-11-24 10:00:00"),
        ("line_items[0].sku is unmapped", "line_items[0].sku is unmapped"),
    ],
)
def test_free_text_loses_secrets_and_keeps_the_rest(text: str, left: str) -> None:
    assert logs.scrub_text(text) == left


def test_statement_parameters_never_reach_a_traceback_in_the_log(production: io.StringIO) -> None:
    message = (
        "(psycopg.errors.NotNullViolation) null value\n"
        "DETAIL:  Failing row contains (7, Ada Lovelace, 12 St James Sq).\n"
        "[SQL: INSERT INTO customer (name) VALUES (%(name)s)]\n"
        "[parameters: {'name': 'Ada Lovelace'}]"
    )
    try:
        fail(message)
    except RuntimeError:
        structlog.get_logger("t").exception("not stored")

    (line,) = lines(production)
    assert "Lovelace" not in json.dumps(line)
    assert line["exception"].startswith("Traceback (most recent call last)")
    assert "null value" in line["exception"]


def test_a_foreign_traceback_is_written_once_and_scrubbed(production: io.StringIO) -> None:
    try:
        fail("no route for ada@example.com")
    except RuntimeError:
        logging.getLogger("celery.app.trace").exception("task failed")

    (line,) = lines(production)
    assert line["exception"].splitlines()[-1] == "RuntimeError: no route for [redacted]"


def test_bytes_and_long_texts_are_cut_before_they_fill_the_log() -> None:
    cut = logs.scrub_text("head " + "x" * 100_000 + "\ntail")

    assert logs.scrub(b"12345") == "[5 bytes]"
    assert len(cut) < 4_100
    assert cut.endswith("characters left out]\ntail")


def test_dev_lines_are_readable_and_scrubbed_too(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    buffer = io.StringIO()
    logs.configure("dev", stream=buffer)
    try:
        structlog.get_logger("t").warning("refused", partner="shopify-us", token="xyz")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()

    assert "refused" in buffer.getvalue()
    assert "shopify-us" in buffer.getvalue()
    assert "xyz" not in buffer.getvalue()
