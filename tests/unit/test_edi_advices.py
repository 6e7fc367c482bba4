"""What a 945 says, and that whatever it says is read or refused at a named place."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import READS
from syncworkers.canonical.advices import AdvisedLine, LineState, ShipAdvice
from syncworkers.errors import RejectedError
from tests.contracts.shared import folder
from tests.unit.edi_documents import (
    ADVICE,
    CHICAGO,
    bare,
    document,
    of_segments,
    sets,
    with_profile,
)


def load(body: bytes, connection: Any = CHICAGO) -> tuple[ShipAdvice, tuple[str, ...]]:
    found: tuple[ShipAdvice, tuple[str, ...]] = (
        READS["edi_sftp", "edi/945"].fit(connection).load(body)
    )
    return found


def refused(text: str, connection: Any = CHICAGO) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as caught:
        load(document("945", text), connection)
    return [(one.path, one.code) for one in caught.value.violations]


def changed(old: str, new: str) -> str:
    assert old in ADVICE
    return ADVICE.replace(old, new)


def test_an_advice_is_read_whole() -> None:
    advice, drift = load(document("945", ADVICE))

    assert advice == ShipAdvice(
        external_id="SHP-9001",
        reference="SO1001-1",
        corrects=False,
        advised_at=dt.datetime(2026, 11, 24, 23, 10, tzinfo=dt.UTC),
        shipped_at=dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC),
        carrier="FDEG",
        service="GROUND",
        tracking_number="TRK0000001",
        lines=(
            AdvisedLine(
                number=1,
                sku="SKU-A",
                state=LineState.SHIPPED,
                code="CC",
                shipped=Decimal(10),
                unit="each",
                place="segment 10, W12",
                lot="LOT42",
            ),
            AdvisedLine(
                number=2,
                sku="SKU-B",
                state=LineState.BACKORDERED,
                code="BP",
                shipped=Decimal(3),
                unit="each",
                place="segment 13, W12",
            ),
        ),
    )
    assert drift == ()


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("CP", LineState.SHORT),
        ("CS", LineState.SUBSTITUTED),
        ("IS", LineState.SUBSTITUTED),
        ("IC", LineState.CANCELLED),
        ("PH", LineState.ON_HOLD),
    ],
)
def test_a_code_is_a_state_by_the_profile(code: str, state: LineState) -> None:
    advice, drift = load(document("945", changed("W12*CC", f"W12*{code}")))

    assert advice.lines[0].state is state
    assert drift == ()


def test_a_code_nobody_knows_is_drift_and_closes_nothing() -> None:
    advice, drift = load(document("945", changed("W12*CC", "W12*QQ")))

    assert (advice.lines[0].state, advice.lines[0].code) == (LineState.UNKNOWN, "QQ")
    assert drift == ("W12-01: code 'QQ' is not known",)


def test_a_partner_may_mean_something_else_by_a_code() -> None:
    connection = with_profile(line_states={"CC": "short"})

    advice, _ = load(document("945", ADVICE), connection)

    assert advice.lines[0].state is LineState.SHORT


def test_a_correction_is_told_as_one() -> None:
    advice, _ = load(document("945", changed("W06*F", "W06*X")))

    assert advice.corrects


def test_a_total_that_is_not_the_sum_is_drift() -> None:
    _, drift = load(document("945", changed("W03*13", "W03*14")))

    assert drift == ("W03-01: is not the sum of W12-03",)


def test_without_our_line_number_the_goods_alone_are_told() -> None:
    advice, drift = load(document("945", changed("N9*LI*1~", "")))

    assert advice.lines[0].number is None
    assert drift == ()


def test_a_line_number_of_their_own_is_none_of_ours() -> None:
    advice, drift = load(document("945", changed("N9*LI*1~", "N9*LI*A-7~")))

    assert advice.lines[0].number is None
    assert drift == ("N9-02: LI is no line number of ours",)


def test_a_pair_is_found_where_it_stands_by_the_first_qualifier_of_the_profile() -> None:
    text = changed("**VN*SKU-A*LOT42", "**UP*012345678905*LOT42*******BP*B-1*VN*SKU-A")

    assert load(document("945", text))[0].lines[0].sku == "SKU-A"
    theirs = with_profile(sku_qualifiers=["BP", "VN"])
    assert load(document("945", text), theirs)[0].lines[0].sku == "B-1"


def test_a_shipment_without_an_id_is_named_by_what_else_is_its_own() -> None:
    text = changed("*SHP-9001**PO-77", "")

    assert load(document("945", text))[0].external_id == "TRK0000001"
    text = text.replace("N9*2I", "N9*BM*BOL-8~N9*2I")
    assert load(document("945", text))[0].external_id == "BOL-8"
    assert refused(text.replace("N9*BM*BOL-8~N9*2I*TRK0000001~", "")) == [
        ("segment 4, W06-04", "field.missing")
    ]


def test_without_a_date_of_its_own_the_files_is_taken_and_noted() -> None:
    advice, drift = load(document("945", changed("*20261124*", "**")))

    assert advice.shipped_at == advice.advised_at
    assert drift == ("W06-03: missing, the date of the file is taken",)


def test_a_cancelled_line_needs_neither_number_nor_unit() -> None:
    text = changed("W12*BP*4*3*1*EA**VN", "W12*IC*4*****VN").replace("W03*13", "W03*10")

    advice, drift = load(document("945", text))

    assert (advice.lines[1].shipped, advice.lines[1].unit) == (Decimal(0), "")
    assert drift == ()


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("*SO1001-1*", "**", "segment 4, W06-02", "field.missing"),
        ("*20261124*", "*20261399*", "segment 4, W06-03", "payload.invalid"),
        ("*20261124*", "*00010101*", "segment 4, W06-03", "payload.invalid"),
        ("W12*CC*10*10*", "W12**10*10*", "segment 10, W12-01", "field.missing"),
        ("W12*CC*10*10*", "W12*CC*10**", "segment 10, W12-03", "field.missing"),
        ("W12*CC*10*10*", "W12*CC*10*NaN*", "segment 10, W12-03", "payload.invalid"),
        ("W12*CC*10*10*", "W12*CC*10*1E9*", "segment 10, W12-03", "payload.invalid"),
        ("W12*CC*10*10*", "W12*CC*10*9999999999999*", "segment 10, W12-03", "payload.invalid"),
        ("W12*CC*10*10*", "W12*CC*10*-1*", "segment 10, W12-03", "quantity.invalid"),
        ("*LOT42", f"*{'L' * 256}", "segment 10, W12-09", "payload.invalid"),
        ("10**EA**VN*SKU-A", "10**XX**VN*SKU-A", "segment 10, W12-05", "units.unmapped"),
        ("10**EA**VN*SKU-A", "10****VN*SKU-A", "segment 10, W12-05", "units.unmapped"),
        ("VN*SKU-A", "ZZ*SKU-A", "segment 10, W12-08", "field.missing"),
        ("W03*13", "W03*many", "segment 15, W03-01", "payload.invalid"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(old: str, new: str, path: str, code: str) -> None:
    assert refused(changed(old, new)) == [(path, code)]


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = changed("10**EA**VN*SKU-A", "ten**XX**VN*SKU-A").replace("*SO1001-1*", "**")

    assert [path for path, _ in refused(text)] == [
        "segment 10, W12-03",
        "segment 10, W12-05",
        "segment 4, W06-02",
    ]


def test_an_advice_about_no_goods_is_refused() -> None:
    assert refused("W06*F*SO1001-1*20261124*SHP-9001~") == [("W12", "field.missing")]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"code": "945"}', b"[" * 100_000])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError):
        load(body)


HOSTILE = st.one_of(
    st.sampled_from(
        ["", "NaN", "-1", "1E99", "Infinity", "9" * 400, "٣", "\x00", "00000000", "20269999", "LI"]
    ),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="*~"), max_size=8),
)


@given(st.data())
def test_whatever_an_advice_says_it_is_read_or_refused_with_a_reason(data: st.DataObject) -> None:
    segments = [one.split("*") for one in ADVICE.rstrip("~").split("~")]
    for _ in range(data.draw(st.integers(1, 4))):
        segment = data.draw(st.sampled_from(segments))
        at = data.draw(st.integers(1, len(segment)))
        segment[at : at + 1] = data.draw(st.lists(HOSTILE, max_size=3))

    try:
        advice, _ = load(of_segments("945", segments))
    except RejectedError as error:
        assert error.violations
        assert all(one.path and one.message for one in error.violations)
    else:
        assert advice.reference
        assert advice.external_id
        assert all(one.sku and one.shipped >= 0 for one in advice.lines)


def test_what_no_database_stores_is_refused() -> None:
    body = document("945", ADVICE).replace(b"LOT42", b"\\ud800")

    with pytest.raises(RejectedError) as caught:
        load(body)

    assert [one.path for one in caught.value.violations] == ["segment 10, W12-09"]
    assert str(caught.value).encode()


@pytest.mark.contract
def test_a_real_advice_with_its_pairs_one_element_later_is_read() -> None:
    body = bare((folder("samples/edi") / "945_simplot_full_txn.edi").read_bytes())

    advice, drift = load(body, with_profile(sku_qualifiers=["UK"]))

    assert (advice.reference, advice.external_id) == ("01766655", "1035")
    assert [(one.number, one.sku, one.shipped, one.unit, one.lot) for one in advice.lines] == [
        (1000, "10071179016458", Decimal(72), "case", "40550"),
        (1000, "10071179016458", Decimal(72), "case", "40551"),
        (2000, "10071179000709", Decimal(96), "case", "93724"),
    ]
    assert advice.shipped_at == dt.datetime(2013, 10, 29, 5, tzinfo=dt.UTC)
    assert drift == ()


@pytest.mark.contract
def test_a_real_advice_that_names_no_order_of_ours_is_refused() -> None:
    (found,) = sets((folder("samples/edi") / "945_interamerican.edi").read_bytes())

    with pytest.raises(RejectedError) as caught:
        load(found)

    paths = [one.path for one in caught.value.violations]
    assert "segment 4, W06-02" in paths
    assert "segment 11, W12-05" in paths
