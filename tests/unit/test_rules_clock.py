"""Times far ahead are not believed, and outdate nothing that follows."""

from __future__ import annotations

import datetime as dt

from syncworkers.rules import clock

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
AHEAD = NOW + dt.timedelta(days=2)
EARLIER = NOW - dt.timedelta(hours=3)


def test_a_time_within_a_day_is_believed() -> None:
    assert clock.believed(NOW + dt.timedelta(hours=23), NOW, EARLIER) == NOW + dt.timedelta(
        hours=23
    )


def test_a_time_far_ahead_is_news_that_outdates_nothing() -> None:
    assert clock.believed(AHEAD, NOW, EARLIER) == EARLIER


def test_the_first_word_of_an_object_with_a_time_far_ahead_leaves_room_for_slow_clocks() -> None:
    assert clock.believed(AHEAD, NOW, None) == NOW - clock.FUTURE
