"""What documents about one part come to, whatever their order, repetition and cut."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.advices import AdvisedLine, LineState, ShipAdvice
from syncworkers.canonical.parts import PartLine
from syncworkers.canonical.shipments import PackedGoods, WarehouseState
from syncworkers.errors import RejectedError
from syncworkers.rules.advices import Folded, Standing, fold, told
from tests.unit.orders import AT

S = LineState


def wanted(number: int, sku: str, quantity: int, **changes: Any) -> PartLine:
    line = PartLine(
        reference=f"91{number:02}",
        number=number,
        sku=sku,
        item=f"{sku}-ID",
        title=sku,
        quantity=quantity,
        unit_price=None,
    )
    return replace(line, **changes)


MUG, TEA, RICE = wanted(1, "MUG", 4), wanted(2, "TEA", 10), wanted(3, "RICE", 6)
PART = (MUG, TEA, RICE)


def said(
    number: int | None, shipped: int | str, state: S = S.SHIPPED, **changes: Any
) -> AdvisedLine:
    skus = {line.number: line.item for line in PART}
    line = AdvisedLine(
        number=number,
        sku=skus.get(number or 0, "MUG"),
        state=state,
        code=state.value[:2].upper(),
        shipped=Decimal(shipped),
        unit="each",
        place=f"segment {10 + (number or 0)}, W12",
    )
    return replace(line, **changes)


def advice(shipment: str, *lines: AdvisedLine, minutes: int = 0, **changes: Any) -> ShipAdvice:
    one = ShipAdvice(
        external_id=shipment,
        reference="SO1-1",
        corrects=False,
        advised_at=AT + dt.timedelta(minutes=minutes),
        shipped_at=AT,
        carrier="FDEG",
        service="GROUND",
        tracking_number=f"TRK-{shipment}",
        lines=lines,
    )
    return replace(one, **changes)


def outcome(folded: Folded) -> list[tuple[str, Decimal, Decimal]]:
    return [(one.state, one.shipped, one.open) for one in folded.lines]


WHOLE = (said(1, 4), said(2, 10), said(3, 6))


def test_one_document_about_all_of_it_ends_the_part() -> None:
    folded = fold(PART, [advice("S1", *WHOLE, minutes=5)])

    assert outcome(folded) == [
        ("shipped", Decimal(4), Decimal(0)),
        ("shipped", Decimal(10), Decimal(0)),
        ("shipped", Decimal(6), Decimal(0)),
    ]
    report = folded.report
    assert (report.external_id, report.reference, report.state) == (
        "SO1-1",
        "SO1-1",
        WarehouseState.SHIPPED,
    )
    assert report.code == "3 shipped"
    assert report.updated_at == AT + dt.timedelta(minutes=5)
    (shipment,) = report.shipments
    assert (shipment.external_id, shipment.state, shipment.tracking_number) == (
        "S1",
        WarehouseState.SHIPPED,
        "TRK-S1",
    )
    assert shipment.goods == (
        PackedGoods(item="MUG-ID", sku="MUG-ID", quantity=Decimal(4)),
        PackedGoods(item="TEA-ID", sku="TEA-ID", quantity=Decimal(10)),
        PackedGoods(item="RICE-ID", sku="RICE-ID", quantity=Decimal(6)),
    )
    assert folded.corrections == ()


@pytest.mark.parametrize(
    ("line", "expected", "state", "left"),
    [
        (said(2, 7, S.SHORT), ("short", 7, 0), WarehouseState.SHIPPED, 1),
        (said(2, 0, S.SHORT), ("short", 0, 0), WarehouseState.CANCELLED, 0),
        (said(2, 0, S.CANCELLED), ("cancelled", 0, 0), WarehouseState.CANCELLED, 0),
        (said(2, 7, S.CANCELLED), ("short", 7, 0), WarehouseState.SHIPPED, 1),
        (said(2, 7, S.SHIPPED), ("short", 7, 0), WarehouseState.SHIPPED, 1),
        (said(2, 7, S.BACKORDERED), ("backordered", 7, 3), WarehouseState.ACCEPTED, 1),
        (said(2, 10, S.BACKORDERED), ("shipped", 10, 0), WarehouseState.SHIPPED, 1),
        (said(2, 12, S.SHIPPED), ("shipped", 12, 0), WarehouseState.SHIPPED, 1),
        (said(2, 0, S.ON_HOLD), ("on hold", 0, 10), WarehouseState.ON_HOLD, 0),
        (said(2, 3, S.UNKNOWN), ("open", 3, 7), WarehouseState.ACCEPTED, 1),
    ],
    ids=str,
)
def test_a_line_ends_or_stays_open(
    line: AdvisedLine, expected: tuple[str, int, int], state: WarehouseState, left: int
) -> None:
    folded = fold([TEA], [advice("S1", line)])

    assert outcome(folded) == [(expected[0], Decimal(expected[1]), Decimal(expected[2]))]
    assert folded.report.state is state
    assert len(folded.report.shipments) == left


def test_a_part_of_which_nothing_was_said_of_a_line_is_still_open() -> None:
    folded = fold(PART, [advice("S1", said(1, 4))])

    assert outcome(folded)[1:] == [
        ("open", Decimal(0), Decimal(10)),
        ("open", Decimal(0), Decimal(6)),
    ]
    assert folded.report.state is WarehouseState.ACCEPTED
    assert folded.report.code == "1 shipped, 2 open"


@pytest.mark.parametrize("turned", [False, True])
def test_an_end_wins_over_a_backorder_whichever_comes_first(turned: bool) -> None:
    both = [
        advice("S1", said(2, 3, S.BACKORDERED)),
        advice("S2", said(2, 5, S.SHORT), minutes=9),
    ]

    folded = fold([TEA], both[::-1] if turned else both)

    assert outcome(folded) == [("short", Decimal(8), Decimal(0))]


@pytest.mark.parametrize("turned", [False, True])
def test_a_hold_lasts_until_something_newer_is_said(turned: bool) -> None:
    both = [
        advice("S1", said(2, 0, S.ON_HOLD)),
        advice("S2", said(2, 3, S.BACKORDERED), minutes=9),
    ]

    folded = fold([TEA], both[::-1] if turned else both)

    assert outcome(folded) == [("backordered", Decimal(3), Decimal(7))]
    assert folded.report.state is WarehouseState.ACCEPTED


def test_a_substitute_leaves_under_its_own_sku_for_the_line_that_was_ordered() -> None:
    lines = (said(2, 0, S.SUBSTITUTED), said(2, 10, S.SUBSTITUTED, sku="OTHER-TEA"))

    folded = fold([TEA], [advice("S1", *lines)])

    assert outcome(folded) == [("substituted", Decimal(10), Decimal(0))]
    assert folded.report.shipments[0].goods == (
        PackedGoods(item="TEA-ID", sku="OTHER-TEA", quantity=Decimal(10)),
    )


def test_a_line_is_found_by_its_goods_where_its_number_is_not_ours() -> None:
    unnumbered = [said(None, 4, sku="MUG"), said(1000, 10, sku="TEA-ID")]

    folded = fold(PART, [advice("S1", *unnumbered)])

    assert [one.shipped for one in folded.lines] == [Decimal(4), Decimal(10), Decimal(0)]


@pytest.mark.parametrize(
    ("lines", "line", "code"),
    [
        (PART, said(None, 4, sku="CUP"), "shipment.unknown_item"),
        ((MUG, replace(MUG, number=2)), said(None, 4), "shipment.line_unclear"),
        (PART, said(1, 4, unit="case"), "units.unmapped"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    lines: tuple[PartLine, ...], line: AdvisedLine, code: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        fold(lines, [advice("S1", line)])

    assert [(one.path, one.code) for one in caught.value.violations] == [(line.place, code)]


def test_a_repeat_counts_once() -> None:
    once = advice("S1", said(1, 4), said(2, 3, S.BACKORDERED))
    again = replace(once, lines=once.lines[::-1], advised_at=AT + dt.timedelta(hours=1))

    folded = fold(PART, [once, again])

    assert [one.shipped for one in folded.lines] == [Decimal(4), Decimal(3), Decimal(0)]
    assert len(folded.report.shipments) == 1
    assert folded.corrections == ()


def test_other_lines_of_the_same_shipment_add_under_an_id_of_their_own() -> None:
    first = advice("S1", said(2, 10))
    more = advice("S1", said(2, 10), said(1, 4), said(3, 6))

    folded = fold(PART, [first, more])

    assert [one.external_id for one in folded.report.shipments] == ["S1", "S1/1"]
    assert [one.item for one in folded.report.shipments[1].goods] == ["MUG-ID", "RICE-ID"]
    assert folded.report.state is WarehouseState.SHIPPED


@pytest.mark.parametrize(
    "later",
    [
        advice("S1", said(2, 8), said(1, 4)),
        advice("S1", said(2, 10, lot="LOT7")),
        advice("S1", said(2, 10), corrects=True),
        advice("S9", said(2, 10), corrects=True),
    ],
)
def test_a_correction_edits_nothing_and_is_handed_back(later: ShipAdvice) -> None:
    first = advice("S1", said(2, 10))

    folded = fold(PART, [first, later])

    assert folded.lines == fold(PART, [first]).lines
    assert folded.report == fold(PART, [first]).report
    assert folded.corrections == (later,)


@pytest.mark.parametrize("turned", [False, True])
def test_a_remark_contradicts_nothing(turned: bool) -> None:
    both = [advice("S1", said(2, 0, S.BACKORDERED)), advice("S1", said(2, 10))]

    folded = fold([TEA], both[::-1] if turned else both)

    assert outcome(folded) == [("shipped", Decimal(10), Decimal(0))]
    assert folded.corrections == ()


def test_in_words_each_line_says_what_it_came_to() -> None:
    folded = fold(
        PART, [advice("S1", said(1, 4), said(2, 2, S.SHORT), said(3, "1.50", S.BACKORDERED))]
    )

    assert told(PART, folded) == (
        "4 of 4 MUG shipped",
        "2 of 10 TEA short",
        "1.5 of 6 RICE backordered",
    )


def test_every_standing_is_counted_in_the_order_of_its_list() -> None:
    assert [one.value for one in Standing][-3:] == ["backordered", "on hold", "open"]


@st.composite
def pieces(draw: st.DrawFn) -> list[AdvisedLine]:
    """Draw what left, piece by piece; a piece is one thing that is said of one line."""
    states = st.sampled_from([one for one in S if one is not S.ON_HOLD])
    return [
        said(draw(st.integers(1, 3)), draw(st.integers(0, 6)), draw(states), lot=f"L{number}")
        for number in range(draw(st.integers(1, 7)))
    ]


@st.composite
def cut(draw: st.DrawFn, said_: list[AdvisedLine]) -> list[ShipAdvice]:
    """Draw documents that say it: pieces of a line that share a shipment share a document."""
    shipments: dict[str, dict[int, list[AdvisedLine]]] = {}
    for one in said_:
        by_line = shipments.setdefault(f"S{draw(st.integers(1, 3))}", {})
        by_line.setdefault(one.number or 0, []).append(one)
    documents = []
    for name, by_line in shipments.items():
        sheets: dict[int, list[AdvisedLine]] = {}
        for lines in by_line.values():
            sheets.setdefault(draw(st.integers(1, 2)), []).extend(draw(st.permutations(lines)))
        documents += [
            advice(name, *lines, minutes=draw(st.integers(0, 9))) for lines in sheets.values()
        ]
    repeats = draw(st.lists(st.sampled_from(documents), max_size=4))
    return draw(st.permutations([*documents, *repeats]))


@given(st.data())
def test_order_repetition_and_cut_change_nothing_of_what_left(data: st.DataObject) -> None:
    everything = data.draw(pieces())
    one, other = data.draw(cut(everything)), data.draw(cut(everything))

    found, again = fold(PART, one), fold(PART, other)

    assert found.lines == again.lines
    assert found.report.state is again.report.state
    assert found.report.code == again.report.code
    assert (found.corrections, again.corrections) == ((), ())
    packed = [goods.quantity for each in found.report.shipments for goods in each.goods]
    assert sum(packed) == sum(line.shipped for line in found.lines)
    names = [each.external_id for each in found.report.shipments]
    assert len(names) == len(set(names))


@given(st.data())
def test_what_was_told_of_a_shipment_stays_when_more_comes(data: st.DataObject) -> None:
    documents = data.draw(cut(data.draw(pieces())))
    upto = data.draw(st.integers(1, len(documents)))

    before, after = fold(PART, documents[:upto]).report, fold(PART, documents).report

    assert after.shipments[: len(before.shipments)] == before.shipments
