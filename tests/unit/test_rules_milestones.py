from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.shipments import Milestone, MilestoneEvent
from syncworkers.rules.milestones import Position, follow
from tests.unit.orders import AT

M = Milestone


def at(minutes: int) -> dt.datetime:
    return AT + dt.timedelta(minutes=minutes)


def news(milestone: M, minutes: int) -> MilestoneEvent:
    return MilestoneEvent(milestone=milestone, occurred_at=at(minutes), code=milestone.value)


def end(*events: MilestoneEvent, start: M = M.LABEL_CREATED) -> Position:
    begun = Position(milestone=start, at=at(1))
    return follow(begun, events, placed_at=AT, now=at(600))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(M.IN_TRANSIT, 5), (M.DELIVERED, 9)], M.DELIVERED),
        ([(M.DELIVERED, 9), (M.IN_TRANSIT, 5)], M.DELIVERED),
        ([(M.DELIVERED, 5), (M.IN_TRANSIT, 9)], M.DELIVERED),
        ([(M.DELIVERED, 5), (M.RETURNING, 9), (M.RETURNED, 12)], M.RETURNED),
        ([(M.RETURNED, 5), (M.DELIVERED, 9)], M.RETURNED),
        ([(M.CANCELLED, 5), (M.IN_TRANSIT, 9)], M.CANCELLED),
        ([(M.LOST, 5), (M.DELIVERED, 9)], M.DELIVERED),
        ([(M.LOST, 5), (M.DAMAGED, 9)], M.LOST),
        ([(M.RETURNING, 5), (M.OUT_FOR_DELIVERY, 9)], M.RETURNING),
        ([(M.UNKNOWN, 5)], M.LABEL_CREATED),
        ([(M.DELIVERED, -5)], M.LABEL_CREATED),
        ([(M.DELIVERED, 5000)], M.LABEL_CREATED),
    ],
    ids=str,
)
def test_a_parcel_never_goes_back(events: list[tuple[M, int]], expected: M) -> None:
    assert end(*(news(*one) for one in events)).milestone is expected


def test_one_by_one_in_the_wrong_order_it_does_not_go_back_either() -> None:
    position = end(news(M.DELIVERED, 9))

    later = follow(position, [news(M.IN_TRANSIT, 5)], placed_at=AT, now=at(600))

    assert later == position


def test_a_delay_stands_beside_the_milestone_until_the_parcel_moves_on() -> None:
    delayed = end(news(M.IN_TRANSIT, 5), news(M.DELAYED, 6))
    moved = end(news(M.IN_TRANSIT, 5), news(M.DELAYED, 6), news(M.OUT_FOR_DELIVERY, 7))

    assert (delayed.milestone, delayed.flag) == (M.IN_TRANSIT, M.DELAYED)
    assert (moved.milestone, moved.flag) == (M.OUT_FOR_DELIVERY, None)


def test_the_same_milestone_later_keeps_its_name_and_takes_the_later_time() -> None:
    assert end(news(M.IN_TRANSIT, 5), news(M.IN_TRANSIT, 8)).at == at(8)


PROGRESS = [M.PICKED_UP, M.IN_TRANSIT, M.OUT_FOR_DELIVERY, M.DELIVERED]


@given(order=st.permutations(range(4)), cut=st.integers(0, 4))
def test_the_end_does_not_depend_on_the_order_of_arrival(order: list[int], cut: int) -> None:
    events = [news(PROGRESS[place], 5 + place) for place in order]

    first = end(*events[:cut])
    whole = follow(first, events[cut:], placed_at=AT, now=at(600))

    assert whole == Position(milestone=M.DELIVERED, at=at(8))
