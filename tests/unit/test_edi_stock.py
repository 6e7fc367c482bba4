"""What a warehouse says of its stock: receipts, adjustments and counts, and what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.edi_sftp.adjustments import ADJUSTMENT as ADJUSTMENTS
from mappings.edi_sftp.charges import FREIGHT_BILL as FREIGHT_BILLS
from mappings.edi_sftp.charges import INVOICE as INVOICES
from mappings.edi_sftp.inventory import INVENTORY
from mappings.edi_sftp.receipts import RECEIPT as RECEIPTS
from syncworkers.canonical.stock import (
    Condition,
    Movement,
    Reason,
    StockMovement,
    StockReport,
    StockRow,
    StockSnapshot,
)
from syncworkers.errors import RejectedError
from syncworkers.rules.stock import (
    Count,
    Said,
    Taken,
    compare_counts,
    compare_reports,
    unnamed,
)
from tests.unit.edi_documents import (
    ADJUSTMENT,
    COUNT,
    FREIGHT_BILL,
    INVOICE,
    RECEIPT,
    document,
    of_segments,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
TEXTS = {
    "944": (RECEIPTS, RECEIPT),
    "947": (ADJUSTMENTS, ADJUSTMENT),
    "846": (INVENTORY, COUNT),
    "810": (INVOICES, INVOICE),
    "210": (FREIGHT_BILLS, FREIGHT_BILL),
}


def refused(load: Callable[[bytes], object], told: bytes) -> tuple[str, str, str]:
    with pytest.raises(RejectedError) as error:
        load(told)
    [violation] = error.value.violations
    return violation.path, violation.code, violation.message


def test_a_receipt_tells_what_came_and_what_of_it_was_damaged() -> None:
    report, drift = RECEIPTS.load(document("944", RECEIPT))

    goods = StockMovement(
        line=1,
        sku="SKU-A",
        quantity=Decimal(98),
        unit="each",
        reason=Reason.RECEIVED,
        lot="LOT42",
    )
    damaged = replace(goods, line=2, quantity=Decimal(2), condition=Condition.DAMAGED, code="01")
    assert report == StockReport(
        kind=Movement.RECEIPT,
        number="RC-55",
        occurred_at=dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC),
        warehouse="WH01",
        movements=(goods, damaged),
        reference="TO-300",
        shipment="BOL-8",
    )
    assert drift == ()


def test_an_adjustment_keeps_its_sign_and_a_code_nobody_knows_stands_in_suspense() -> None:
    report, drift = ADJUSTMENTS.load(document("947", ADJUSTMENT))

    assert (report.kind, report.number, report.occurred_at) == ("adjustment", "ADJ-12", NOON)
    assert [(one.sku, one.quantity, one.reason, one.code) for one in report.movements] == [
        ("SKU-B", Decimal(-3), Reason.DAMAGED, "AU"),
        ("SKU-C", Decimal("2.5"), Reason.UNKNOWN, "XX"),
    ]
    assert drift == ("W19-01: code 'XX' is not known",)
    assert [one.place for one in unnamed(report)] == ["segment 7, W19"]


def test_a_profile_says_what_codes_units_and_hours_mean() -> None:
    connection = {
        "zone": "America/Chicago",
        "profile": {"adjustments": {"XX": "lost"}, "units": {"EA": "piece"}},
    }

    report, drift = ADJUSTMENTS.fit(connection).load(document("947", ADJUSTMENT))

    assert [(one.reason, one.unit) for one in report.movements] == [
        (Reason.DAMAGED, "piece"),
        (Reason.LOST, "piece"),
    ]
    assert report.occurred_at == dt.datetime(2026, 11, 26, 18, tzinfo=dt.UTC)
    assert drift == ()


@pytest.mark.parametrize(
    ("mapping", "table"),
    [(ADJUSTMENTS, "adjustments"), (RECEIPTS, "conditions"), (INVENTORY, "quantities")],
)
def test_a_word_that_is_none_of_ours_is_refused_at_the_start(mapping: Any, table: str) -> None:
    with pytest.raises(ValueError, match=rf"{table}\] 01 = 'gone' is none of"):
        mapping.fit({"profile": {table: {"01": "gone"}}})


def test_a_count_lists_each_sku_with_what_is_known_of_it() -> None:
    snapshot, drift = INVENTORY.load(document("846", COUNT))

    assert snapshot == StockSnapshot(
        warehouse="WH01",
        as_of=dt.datetime(2026, 11, 26, 5, tzinfo=dt.UTC),
        reference="INV-20261126",
        rows=(
            StockRow(sku="SKU-A", unit="each", on_hand=Decimal(95), available=Decimal(80)),
            StockRow(sku="SKU-B", unit="each", on_hand=Decimal(40)),
        ),
    )
    assert drift == ("QTY-01: code '99' is not known",)


def test_a_time_without_a_code_is_the_warehouses() -> None:
    told = COUNT.replace("*0500*GM", "*0500")

    snapshot, _ = INVENTORY.fit({"zone": "America/Chicago"}).load(document("846", told))

    assert snapshot.as_of == dt.datetime(2026, 11, 26, 11, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("time", "hour", "drift"),
    [
        ("*0500*ET", 10, ()),
        ("*0500*ES", 10, ()),
        ("*0500*LT", 11, ()),
        ("*0500*07", 11, ("DTM-04: zone '07' is not known",)),
        ("", 18, ()),
    ],
)
def test_a_time_is_of_the_zone_it_names_and_a_day_alone_is_noon(
    time: str, hour: int, drift: tuple[str, ...]
) -> None:
    told = COUNT.replace("*0500*GM", time).replace("QTY*99*7*EA~", "")

    found = INVENTORY.fit({"zone": "America/Chicago"}).load(document("846", told))

    assert (found[0].as_of, found[1]) == (dt.datetime(2026, 11, 26, hour, tzinfo=dt.UTC), drift)


@pytest.mark.parametrize(
    ("code", "old", "new", "path", "violation"),
    [
        ("944", "W14*98", "W14*97", "segment 9, W14-01", "stock.total"),
        ("944", "*100*2~", "*100*3~", "segment 9, W14-03", "stock.total"),
        ("944", "W07*98*EA", "W07*98*XX", "segment 6, W07-02", "units.unmapped"),
        ("944", "W07*98", "W07*-98", "segment 6, W07-01", "quantity.invalid"),
        ("944", "VN*SKU-A", "ZZ*SKU-A", "segment 6, W07-05", "field.missing"),
        ("944", "20261125", "20261325", "segment 4, W17-02", "payload.invalid"),
        ("944", "RC-55", "", "segment 4, W17-03", "field.missing"),
        ("947", "*-3*", "*-3,5*", "segment 6, W19-02", "payload.invalid"),
        ("947", "W19*AU", "W19*", "segment 6, W19-01", "field.missing"),
        ("846", "0500*GM", "2500*GM", "segment 5, DTM-03", "payload.invalid"),
        ("846", "VN*SKU-B", "VN*SKU-A", "segment 10, LIN", "stock.listed_twice"),
        ("846", "QTY*33", "QTY*17", "segment 9, QTY-01", "stock.listed_twice"),
        ("846", "UIT*EA", "UIT*CA~QTY*33*2*EA", "segment 10, LIN", "stock.several_units"),
        ("846", "QTY*17*40~", "", "segment 10, LIN", "stock.no_count"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    code: str, old: str, new: str, path: str, violation: str
) -> None:
    mapping, text = TEXTS[code]
    assert old in text

    found = refused(mapping.load, document(code, text.replace(old, new, 1)))

    assert found[:2] == (path, violation)


@pytest.mark.parametrize(
    ("code", "changes", "reasons"),
    [
        (
            "944",
            {"RC-55": "", "W07*98*EA": "W07*ten*XX", "W13*2*EA*01": "W13*2*EA*"},
            [
                ("segment 6, W07-01", "payload.invalid"),
                ("segment 6, W07-02", "units.unmapped"),
                ("segment 8, W13-03", "field.missing"),
                ("segment 4, W17-03", "field.missing"),
            ],
        ),
        (
            "947",
            {"20261126": "", "SKU-B": "", "2.5*EA": "*EA"},
            [
                ("segment 4, W15-01", "field.missing"),
                ("segment 6, W19-06", "field.missing"),
                ("segment 7, W19-02", "field.missing"),
            ],
        ),
        (
            "846",
            {"0500*GM": "2500*GM", "QTY*33*80": "QTY*17*80", "VN*SKU-B": "VN*SKU-A"},
            [
                ("segment 5, DTM-03", "payload.invalid"),
                ("segment 9, QTY-01", "stock.listed_twice"),
                ("segment 10, LIN", "stock.listed_twice"),
            ],
        ),
        (
            "810",
            {"TDS*1990": "TDS*19.90", "SAC*C": "SAC*Q", "INV-3001": ""},
            [
                ("segment 10, SAC-01", "payload.invalid"),
                ("segment 9, TDS-01", "payload.invalid"),
                ("segment 4, BIG-02", "field.missing"),
            ],
        ),
        (
            "210",
            {"FR*1275": "FR*12.75", "20261130": "20261131", "C3*USD": "C3*usd"},
            [
                ("segment 11, L1-04", "payload.invalid"),
                ("segment 4, B3-06", "payload.invalid"),
                ("segment 5, C3-01", "charge.currency"),
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once_and_no_sum_is_made_of_it(
    code: str, changes: dict[str, str], reasons: list[tuple[str, str]]
) -> None:
    mapping, text = TEXTS[code]
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)

    with pytest.raises(RejectedError) as error:
        mapping.load(document(code, text))

    assert [(one.path, one.code) for one in error.value.violations] == reasons


def test_a_sku_with_signs_that_nobody_can_see_is_refused() -> None:
    told = document("944", RECEIPT.replace("SKU-A", "SKU\u200b-A"))

    path, code, message = refused(RECEIPTS.load, told)

    assert (path, code) == ("segment 6, W07-05", "payload.invalid")
    assert message.startswith(r"is 'SKU\u200b-A', with signs that nobody can see")


@pytest.mark.parametrize("code", TEXTS)
def test_a_document_without_its_segments_is_refused(code: str) -> None:
    mapping, text = TEXTS[code]
    head = text.split("~", maxsplit=1)[0]

    refused(mapping.load, document(code, ""))
    refused(mapping.load, document(code, head + "~"))
    assert refused(mapping.load, document("945", text))[1] == "payload.unreadable"


SIGNS = st.sampled_from([*"*~0123456789.-ABCXYZ \x00\x7fé", "EA", "VN", "QTY", "W13", "9" * 40])


@settings(max_examples=300)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_whatever_a_document_holds_it_is_read_or_refused(code: str, data: st.DataObject) -> None:
    mapping, text = TEXTS[code]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(SIGNS) + text[at + cut :]
    written = [one for one in text.split("~") if one.partition("*")[0]]

    try:
        mapping.load(of_segments(code, [one.split("*") for one in written]))
    except RejectedError as error:
        assert error.violations


@given(
    st.sampled_from(sorted(TEXTS)), st.binary(max_size=60) | st.text(max_size=60).map(str.encode)
)
def test_what_is_no_document_is_refused(code: str, told: bytes) -> None:
    mapping, _ = TEXTS[code]

    for each in (told, b"[" * 100_000, b'{"segments":[[1]]}'):
        assert refused(mapping.load, each)[1] == "payload.unreadable"


def report(*reasons: Reason, quantity: int = 1) -> StockReport:
    movements = [
        StockMovement(
            line=line,
            sku="SKU-A",
            quantity=Decimal(quantity),
            unit="each",
            reason=reason,
            code="XX",
            place=f"segment {line}",
        )
        for line, reason in enumerate(reasons, start=1)
    ]
    return StockReport(
        kind=Movement.ADJUSTMENT,
        number="ADJ-1",
        occurred_at=NOON,
        warehouse="WH01",
        movements=tuple(movements),
    )


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, Said.NEW),
        (report(Reason.LOST, Reason.FOUND), Said.REPEATED),
        (report(Reason.LOST, Reason.UNKNOWN), Said.LEARNED),
        (report(Reason.LOST, Reason.COUNTED), Said.CHANGED),
        (report(Reason.LOST), Said.CHANGED),
        (report(Reason.LOST, Reason.UNKNOWN, quantity=2), Said.CHANGED),
    ],
)
def test_a_document_is_new_or_repeated_or_says_what_a_code_means(
    known: StockReport | None, said: Said
) -> None:
    assert compare_reports(known, report(Reason.LOST, Reason.FOUND)) is said


@pytest.mark.parametrize(
    ("hours", "rows", "digest", "taken"),
    [
        (0, 100, "a", Taken.REPEATED),
        (0, 100, "b", Taken.CHANGED),
        (-1, 100, "a", Taken.OLDER),
        (1, 100, "a", Taken.NEW),
        (1, 50, "b", Taken.NEW),
        (1, 49, "b", Taken.ROWS_LOST),
        (1, 900, "b", Taken.NEW),
    ],
)
def test_a_count_replaces_the_last_one_unless_it_is_older_or_lost_its_rows(
    hours: int, rows: int, digest: str, taken: Taken
) -> None:
    last = Count(as_of=NOON, rows=100, digest="a")
    count = Count(as_of=NOON + dt.timedelta(hours=hours), rows=rows, digest=digest)

    assert compare_counts(last, count, max_loss=50) is taken
    assert compare_counts(None, count, max_loss=50) is Taken.NEW
