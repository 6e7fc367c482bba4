"""What is written: counted, paired, padded; and what is refused rather than written wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.read import read
from syncworkers.x12.segments import segment
from syncworkers.x12.write import OutSet, write
from tests.unit.x12_parts import order, outgoing


def with_value(value: str) -> OutSet:
    return OutSet(code="940", control_number="0001", segments=(segment("W05", "N", value),))


def test_a_ship_order_is_written_as_agreed() -> None:
    assert write(outgoing(order())).decode() == (
        "ISA*00*          *00*          *ZZ*EXAMPLECO      *ZZ*EXAMPLEWH      *261123*0905*U*00401"
        "*000000017*0*P*>~GS*OW*EXAMPLECO*EXAMPLEWH*20261123*0905*17*X*004010~ST*940*0001~"
        "W05*N*SO1001-1*PO-77~N1*ST*Jane Roe*92*C-500~LX*1~W01*10*EA**VN*SKU-A~N9*LI*1~"
        "W76*10*12.5*LB~SE*8*0001~GE*1*17~IEA*1*000000017~"
    )


def test_the_header_has_always_106_characters() -> None:
    short = replace(outgoing(order()), sender="A", receiver="B", control_number=1)

    assert write(short).decode().index("GS*") == 106


def test_what_is_written_is_read_without_a_finding() -> None:
    file = read(write(outgoing(order(1), order(2))))

    assert file.findings == ()
    found = list(file.accepted())
    assert [one.control_number for one in found] == ["0001", "0002"]
    assert found[0].segments[3].elements == ("10", "EA", "", "VN", "SKU-A")
    assert found[0].segments[3].number == 5
    assert found[0].envelope.receiver == "EXAMPLEWH"


def test_other_delimiters_are_written_too() -> None:
    data = write(outgoing(with_value("A*B~C>D")), Delimiters("|", "\n", "^"))

    assert next(read(data).accepted()).segments[0].get(2) == "A*B~C>D"


@pytest.mark.parametrize("held", ["*", "~", ">", "\n", "\r", "\x00", "\x1a"])
def test_a_value_that_holds_a_delimiter_is_refused_by_name(held: str) -> None:
    with pytest.raises(X12Error) as caught:
        write(outgoing(with_value(f"PO{held}7")))

    assert (caught.value.segment, caught.value.tag, caught.value.element) == (4, "W05", 2)
    assert repr(held) in str(caught.value)


@pytest.mark.parametrize(
    ("segments", "place"),
    [
        ((segment("W05", "N", ""),), ("W05", 2)),
        ((segment("W05", "NN", "SO1"),), ("W05", 1)),
        ((segment("W05", "N", "SO1"), segment("W01", "ten", "EA")), ("W01", 1)),
        ((segment("W05", "N", "SO1"), segment("G62", "10", "20261332")), ("G62", 2)),
        ((segment("W05", "N", "SO1"), segment("W12", "CC")), ("W12", None)),
        ((segment("N9", "CO", "SO1"),), ("W05", None)),
    ],
)
def test_what_the_tables_do_not_allow_is_refused(
    segments: tuple[object, ...], place: tuple[str, int | None]
) -> None:
    wrong = OutSet(code="940", control_number="0001", segments=segments)  # type: ignore[arg-type]

    with pytest.raises(X12Error) as caught:
        write(outgoing(wrong))

    assert (caught.value.tag, caught.value.element) == place


def test_a_set_in_a_group_of_another_kind_is_refused() -> None:
    with pytest.raises(X12Error, match="segment 3, ST-01: 947 in a group with GS01 'OW'"):
        write(outgoing(OutSet(code="947", control_number="0001", segments=())))


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"sender": "A" * 16}, 6),
        ({"receiver": ""}, 8),
        ({"control_number": 10**9}, 13),
        ({"control_number": 0}, 13),
        ({"usage": "TEST"}, 15),
        ({"version": "00501"}, 11),
    ],
)
def test_a_header_that_has_no_room_is_refused(change: dict[str, object], element: int) -> None:
    with pytest.raises(X12Error) as caught:
        write(replace(outgoing(order()), **change))  # type: ignore[arg-type]

    assert (caught.value.segment, caught.value.tag, caught.value.element) == (1, "ISA", element)


def test_repetitions_are_separated_from_004020_on() -> None:
    data = write(replace(outgoing(order()), version="00501"), Delimiters(repetition="^"))

    assert data.split(b"*")[11] == b"^"
    assert read(data).interchanges[0].delimiters == Delimiters("*", "~", ">", "^")
