from __future__ import annotations

import pytest

from syncworkers.connectors.http import Answer, parse_retry_after
from syncworkers.connectors.secrets import evidence, redact

NOON = 1_785_585_600.0  # 2026-08-01T12:00:00Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 2.0 ", 2.0),
        ("0", 0.0),
        ("Sat, 01 Aug 2026 12:00:30 GMT", 30.0),
        ("Sat, 01 Aug 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None):
    assert parse_retry_after(value, NOON) == seconds


def test_a_retry_date_is_compared_with_the_partners_clock():
    answer = Answer(
        status=429,
        headers={
            "Date": "Sat, 01 Aug 2020 12:00:00 GMT",
            "Retry-After": "Sat, 01 Aug 2020 12:00:07 GMT",
        },
        body=b"",
        duration_ms=1,
    )

    assert answer.retry_after == 7.0


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Authorization: Bearer eyJ0.abc-def", "Authorization: ***"),
        ("said Bearer eyJ0eXAiOiJKV1QifQ.x", "said Bearer ***"),
        ("X-Shopify-Access-Token: shpat_1234", "X-Shopify-Access-Token: ***"),
        ('{"access_token":"abc", "expires_in":1}', '{"access_token":"***", "expires_in":1}'),
        ("a=1&client_secret=s%2Fx&b=2", "a=1&client_secret=***&b=2"),
        ("my own s/cret+1 and s%2Fcret%2B1", "my own *** and ***"),
    ],
)
def test_secrets_are_hidden(text: str, safe: str):
    assert redact(text, ["s/cret+1"]) == safe


def test_evidence_is_cut_after_hiding():
    text = evidence("x" * 10 + "verysecret" + "y" * 10, ["verysecret"], 15)

    assert text == "xxxxxxxxxx***y…"
