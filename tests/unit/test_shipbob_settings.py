from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from syncworkers.connectors.shipbob.doctor import ending
from syncworkers.connectors.shipbob.settings import read_settings
from syncworkers.connectors.shipbob.wire import address, instant, is_id, order_id, utc

CONNECTION = {
    "url": "https://api.shipbob.com/",
    "api_version": "2026-01",
    "access_token": "hush-hush",
    "channel_id": "128944",
    "webhook_secret": "whsec_" + "A" * 32,
}


def test_settings_read_numbers_that_come_as_texts_and_know_the_end_of_a_version() -> None:
    settings = read_settings("shipbob-west", CONNECTION)

    assert settings.base == "https://api.shipbob.com/2026-01"
    assert settings.channel_id == 128944
    assert settings.webhook_secrets == ("whsec_" + "A" * 32,)
    assert settings.webhook_url == ""
    assert settings.sunset == dt.date(2028, 1, 31)
    assert "hush" not in repr(settings)
    assert "whsec" not in repr(settings)


def test_the_partner_file_says_all_that_is_needed_and_keeps_the_limit_of_calls() -> None:
    file = Path(__file__).resolve().parents[2] / "config" / "partners" / "shipbob-west.toml"
    whole = tomllib.loads(file.read_text(encoding="utf-8"))
    named = {**CONNECTION, "webhook_url": "https://us.example", "url": "https://api.shipbob.com"}
    named["previous_webhook_secret"] = CONNECTION["webhook_secret"]

    given = {
        key: named[key] if isinstance(value, dict) else value
        for key, value in whole["connection"].items()
    }

    assert read_settings("shipbob-west", given).api_version == "2026-01"
    assert (whole["connector"], whole["role"]) == ("shipbob", "warehouse")
    assert whole["budget"]["burst"] + 60 * whole["budget"]["per_second"] == 150


def test_settings_may_say_more() -> None:
    more = {
        "channel_id": 5,
        "previous_webhook_secret": "whsec_" + "B" * 32,
        "webhook_url": "https://us.example/webhooks/shipbob-west",
        "sunset": dt.date(2027, 1, 1),
    }

    settings = read_settings("shipbob-west", {**CONNECTION, **more})

    assert settings.channel_id == 5
    assert settings.webhook_secrets == ("whsec_" + "A" * 32, "whsec_" + "B" * 32)
    assert settings.webhook_url == "https://us.example/webhooks/shipbob-west"
    assert settings.sunset == dt.date(2027, 1, 1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"access_token": ""}, 'access_token is missing: give a text, or { env = "NAME" }'),
        ({"url": "api.shipbob.com"}, "url must be an https address without a query"),
        ({"api_version": "2026-04"}, "api_version must be one of ShipBob's half-years"),
        ({"channel_id": "main"}, "channel_id must be the number of a channel"),
        ({"channel_id": True}, "channel_id must be the number of a channel"),
        ({"channel_id": -1}, "channel_id must be the number of a channel"),
        ({"access_token": "two\nlines"}, "access_token must be a plain text on one line"),
        ({"access_token": "煎茶"}, "access_token must be a plain text on one line"),
        ({"access_token": ["x"]}, "access_token must be a plain text on one line"),
        ({"webhook_secret": "hush-hush"}, "webhook_secret must be whsec_ and 32 characters"),
        ({"previous_webhook_secret": "x"}, "previous_webhook_secret must be whsec_ and 32"),
        ({"webhook_url": "nowhere"}, "webhook_url must be an https address"),
        ({"sunset": "soon"}, "sunset must be a date, as 2028-01-31"),
        ({"sunset": dt.datetime(2028, 1, 31, tzinfo=dt.UTC)}, "sunset must be a date"),
        ({"token": "x"}, "token is not known; known are access_token, api_version"),
    ],
)
def test_wrong_settings_are_named_with_a_remedy(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"config/partners/shipbob-west\.toml") as raised:
        read_settings("shipbob-west", {**CONNECTION, **change})

    assert complaint in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("today", "word"),
    [
        (dt.date(2027, 11, 2), ""),
        (dt.date(2027, 11, 3), "ends"),
        (dt.date(2028, 1, 31), "ends"),
        (dt.date(2028, 2, 1), "ended"),
    ],
)
def test_the_end_of_a_version_is_told_ninety_days_before(today: dt.date, word: str) -> None:
    found = list(ending(read_settings("shipbob-west", CONNECTION), today))

    told = (
        f"[connection] api_version 2026-01 {word} on 2028-01-31:"
        " move to a later one, or correct sunset"
    )
    assert found == ([told] if word else [])


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T10:00:00.1234567Z", dt.datetime(2026, 11, 24, 10, 0, 0, 123456, dt.UTC)),
        ("2026-11-24T10:00:00", dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)),
        ("2026-11-24T10:00:00-06:00", dt.datetime(2026, 11, 24, 16, tzinfo=dt.UTC)),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        (None, None),
        (5, None),
    ],
)
def test_times_are_read_as_utc_with_or_without_a_zone(
    text: object, time: dt.datetime | None
) -> None:
    assert instant(text) == time


def test_a_time_is_written_with_all_its_digits() -> None:
    zone = dt.timezone(dt.timedelta(hours=-5))

    assert utc(dt.datetime(2026, 11, 24, 10, 0, 0, 7, zone)) == "2026-11-24T15:00:00.000007Z"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1", True),
        ("2147483647", True),
        ("2147483648", False),
        ("0", False),
        ("-1", False),
        ("٣", False),
        ("1.5", False),
        ("", False),
        ("9" * 5000, False),
    ],
)
def test_only_what_may_be_an_id_is_asked_for(text: str, good: object) -> None:
    assert is_id(text) is good


@pytest.mark.parametrize("value", [None, True, 1.5, [], "x", 0, {}])
def test_an_id_that_is_none_is_none(value: object) -> None:
    assert order_id({"id": value}) is None


def test_lists_in_an_address_are_separated_by_plain_commas() -> None:
    assert address("order", {"ReferenceIds": "a/1,b&2", "Page": 1}) == (
        "order?ReferenceIds=a%2F1,b%262&Page=1"
    )
    assert address("channel", {}) == "channel"
