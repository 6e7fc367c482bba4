"""How files are cut and checked: what is taken, what is refused, and where."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.outcomes import File, Group, Interchange, SetRead
from syncworkers.x12.read import read, read_bare, read_sets
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Segment, TransactionSet
from tests.unit.x12_parts import ADVICE, FILE, GS, ISA, SECOND


def taken(file: File) -> list[str]:
    return [one.control_number for one in file.accepted()]


def codes(file: File) -> list[str]:
    return [
        f"{one.level}: {one.code} {one.segment} {one.tag} {one.element}" for one in file.findings
    ]


def refusal(data: bytes | str, rules: Rules | None = None) -> X12Error:
    with pytest.raises(X12Error) as caught:
        read(data if isinstance(data, bytes) else data.encode(), rules or Rules())
    return caught.value


def cut_by(element: str, segment: str, component: str) -> str:
    """Return the file with other delimiters."""
    return FILE.translate(str.maketrans({"*": element, "~": segment, ">": component}))


def test_sets_have_their_segments_envelope_and_place() -> None:
    file = read(FILE.encode())

    assert codes(file) == []
    first, second = file.accepted()
    assert (first.code, first.control_number, len(first.segments)) == ("945", "0001", 11)
    assert first.segments[5] == Segment(
        "W12", ("CC", "10", "10", "", "EA", "", "VN", "SKU-A", "LOT42"), 7
    )
    assert (first.segments[5].get(8), first.segments[5].get(99)) == ("SKU-A", "")
    assert (first.place, second.place) == (3, 16)
    assert second.place_of(second.segments[0]) == 17
    envelope = second.envelope
    assert (envelope.sender, envelope.receiver, envelope.usage) == ("EXAMPLEWH", "EXAMPLECO", "P")
    assert (envelope.control_number, envelope.functional_id) == ("000000042", "SW")
    assert (envelope.group_control_number, envelope.version) == ("42", "004010")
    assert (envelope.date, envelope.time, envelope.component) == ("261124", "1710", ">")


def test_a_set_survives_the_inbox_as_json() -> None:
    (first, _) = read(FILE.replace("Example Warehouse", "Übersee 倉庫").encode()).accepted()

    assert "Übersee 倉庫" in first.dumps()
    assert TransactionSet.loads(first.dumps()) == first
    assert TransactionSet.loads(first.dumps().encode()) == first


@pytest.mark.parametrize(
    ("element", "segment", "component"),
    [
        ("*", "~", ":"),
        ("~", "*", "`"),
        ("~", "}", ">"),
        ("*", "|", "\\"),
        ("*", "\\", "|"),
        ("^", "!", ">"),
        ("*", "\n", ">"),
        ("*", "\r\n", ">"),
        ("*", "\r", ">"),
        ("\x1d", "\x1c", "\x1f"),
        ("\t", "~", ">"),
        ("*", "§", "¤"),
    ],
)
def test_delimiters_come_from_the_header(element: str, segment: str, component: str) -> None:
    for data in (
        cut_by(element, segment, component).encode(),
        cut_by(element, segment, component).encode("latin-1"),
    ):
        file = read(data)

        assert codes(file) == []
        assert taken(file) == ["0001", "0002"]
        assert next(file.accepted()).segments == next(read(FILE.encode()).accepted()).segments


def test_a_point_may_end_segments() -> None:
    data = cut_by("*", ".", ">").replace("11.2", "11").encode()

    assert taken(read(data)) == ["0001", "0002"]


@pytest.mark.parametrize(
    "around",
    ["~\n", "~\r\n", "~\r\n    ", "  ~\n\t", "~\x00\n", "~\n\n\n", "\x1a~"],
)
def test_what_decorates_segments_is_stripped(around: str) -> None:
    file = read(f"\n {ISA}".encode() + FILE[len(ISA) :].replace("~", around).encode() + b"\x1a\x00")

    assert codes(file) == []
    assert next(file.accepted()).segments == next(read(FILE.encode()).accepted()).segments


def test_a_bom_is_no_character_of_the_header() -> None:
    assert codes(read(b"\xef\xbb\xbf" + FILE.encode())) == []
    latin = FILE.replace("Example Warehouse", "Übersee").encode("latin-1")
    assert codes(read(b"\xef\xbb\xbf" + latin)) == []


def test_characters_are_counted_after_decoding() -> None:
    text = FILE.replace("*EXAMPLEWH      *", "*ÜBERSEE-LAGER  *")

    for data in (text.encode(), text.encode("latin-1")):
        file = read(data)
        assert codes(file) == []
        assert file.interchanges[0].envelope.sender == "ÜBERSEE-LAGER"


def test_repetitions_have_a_separator_from_004020_on() -> None:
    new = FILE.replace("*U*00401*", "*^*00501*")

    assert read(new.encode()).interchanges[0].delimiters == Delimiters("*", "~", ">", "^")
    for old in ("*U*00501*", "*^*00401*", "* *00401*"):
        header = read(FILE.replace("*U*00401*", old).encode()).interchanges[0]
        assert header.delimiters.repetition == ""


def test_a_collapsed_header_is_read_or_refused_by_rule() -> None:
    data = FILE.replace("EXAMPLEWH      ", "EXAMPLEWH", 1).encode()

    assert codes(read(data)) == ["warn: x12.padding 1 ISA 6"]
    assert taken(read(data)) == ["0001", "0002"]
    assert taken(read(data, Rules(padding=Level.ERROR))) == []


def test_lines_of_80_columns_are_refused_and_not_guessed() -> None:
    wrapped = "\n".join(FILE[at : at + 80] for at in range(0, len(FILE), 80))

    error = refusal(wrapped)

    assert (error.code, error.segment, error.tag, error.element) == ("x12.wrapped", 1, "ISA", 10)
    assert "without line breaks" in str(error)


def test_a_line_end_within_a_segment_refuses_its_set() -> None:
    file = read(FILE.replace("SHP-9001", "SHP\r\n9001").encode())

    assert codes(file) == ["error: x12.wrapped 4 W06 None"]
    assert taken(file) == ["0002"]


def test_several_interchanges_have_delimiters_of_their_own() -> None:
    other = cut_by("|", "\n", "^").replace("000000042", "000000043")

    file = read((FILE + "\n\n" + other + FILE).encode())

    assert [len(one.groups[0].sets) for one in file.interchanges] == [2, 2, 2]
    assert codes(file) == []
    assert list(file.accepted())[-1].place == 60


def test_several_groups_and_mixed_sets_are_read() -> None:
    adjustment = "ST*947*0003~W15*20261126*ADJ-12*ADJ-12~W19*06*-3*EA**VN*SKU-B~SE*4*0003~"
    text = f"{ISA}{GS}{ADVICE}{adjustment}GE*2*42~{GS}{SECOND}GE*1*42~IEA*2*000000042~"

    file = read(text.encode())

    assert taken(file) == ["0001", "0003", "0002"]
    assert codes(file) == ["warn: x12.functional_id 16 ST 1"]
    assert str(file.findings[0]) == (
        "segment 16, ST-01: 947 in a group with GS01 'SW', expected AW"
    )


def test_junk_between_interchanges_is_a_finding_or_refused() -> None:
    text = f"-- page 1 --\n{FILE}\n-- page 2 --\n{FILE}-- end --"

    file = read(text.encode())

    assert len(taken(file)) == 4
    assert [one.value for one in file.outside] == ["-- page 1 --", "-- page 2 --", "-- end --"]
    assert codes(file)[0] == "warn: x12.junk 1  None"
    assert refusal(text, Rules(junk=Level.ERROR)).code == "x12.junk"


@pytest.mark.parametrize("text", [ADVICE, GS + ADVICE, FILE + SECOND, FILE + "\n" + GS])
def test_what_has_no_envelope_is_refused(text: str) -> None:
    error = refusal(text)

    assert error.code == "x12.no_envelope"
    assert error.tag in {"ST", "GS"}


@pytest.mark.parametrize("text", ["<html>", "sku;quantity\nA;1\n", "UNB+UNOC:3+", "%PDF-1.7"])
def test_what_is_no_x12_is_refused(text: str) -> None:
    assert refusal(text).code == "x12.not_x12"


@pytest.mark.parametrize("count", range(len(FILE) - 1))
def test_a_file_without_its_end_is_incomplete_wherever_it_ends(count: int) -> None:
    assert refusal(FILE[:count]).code == "x12.incomplete"


def test_the_last_terminator_may_be_missing() -> None:
    assert taken(read(FILE[:-1].encode())) == ["0001", "0002"]


def test_a_second_interchange_without_its_end_makes_the_file_incomplete() -> None:
    for count in range(1, len(FILE) - 1, 7):
        assert refusal(FILE + FILE[:count]).code == "x12.incomplete"


@pytest.mark.parametrize(
    ("rule", "wrong", "place", "left"),
    [
        ("set_count", ("SE*13*0001", "SE*12*0001"), (15, "SE", 1), ["0002"]),
        ("set_number", ("SE*13*0001", "SE*13*0009"), (15, "SE", 2), ["0002"]),
        ("group_count", ("GE*2*42", "GE*3*42"), (21, "GE", 1), []),
        ("group_number", ("GE*2*42", "GE*2*43"), (21, "GE", 2), []),
        ("interchange_count", ("IEA*1*", "IEA*2*"), (22, "IEA", 1), []),
        ("interchange_number", ("IEA*1*000000042", "IEA*1*000000043"), (22, "IEA", 2), []),
        ("functional_id", ("GS*SW", "GS*OW"), (3, "ST", 1), []),
        ("documents", ("ST*945*0001", "ST*999*0001"), (3, "ST", 1), ["0002"]),
        ("segments", ("N9*2I", "ZZ9*2I"), (6, "ZZ9", None), ["0002"]),
        (
            "mandatory",
            ("W06*F*SO1001-1*20261124*SHP-9001**PO-77", "NTE**x"),
            (3, "W06", None),
            ["0002"],
        ),
        ("elements", ("W12*CC*10*10", "W12*CC*10*ten"), (9, "W12", 3), ["0002"]),
        ("elements", ("*20261124*SHP-9001", "*20261324*SHP-9001"), (4, "W06", 3), ["0002"]),
        ("elements", ("W12*CC*10*10", "W12**10*10"), (9, "W12", 1), ["0002"]),
    ],
)
def test_each_check_refuses_or_warns_by_its_rule(
    rule: str,
    wrong: tuple[str, str],
    place: tuple[int, str, int | None],
    left: list[str],
) -> None:
    assert wrong[0] in FILE
    data = FILE.replace(*wrong).encode()
    warn = replace(Rules(), **{rule: Level.WARN})
    error = replace(Rules(), **{rule: Level.ERROR})

    refused = read(data, error)
    warned = read(data, warn)

    found = next(one for one in refused.findings if one.code == f"x12.{rule}")
    assert (found.segment, found.tag, found.element) == place
    assert found.level is Level.ERROR
    assert taken(refused) == left
    assert taken(warned) == ["0001", "0002"]
    assert f"x12.{rule}" in [one.code for one in warned.findings]


def test_numbers_are_compared_without_their_padding() -> None:
    text = FILE.replace("SE*13*", "SE*0000000013*").replace("IEA*1*000000042", "IEA*01*42")

    assert codes(read(text.encode())) == []


def test_a_set_without_its_end_is_refused_alone() -> None:
    file = read(FILE.replace("SE*13*0001~", "").encode())

    assert codes(file) == ["error: x12.set_end 15 SE None"]
    assert taken(file) == ["0002"]


def test_a_group_without_its_end_is_refused() -> None:
    file = read(FILE.replace("GE*2*42~", "").encode())

    assert codes(file) == ["error: x12.group_end 2 GS None"]
    assert taken(file) == []


@pytest.mark.parametrize(
    ("wrong", "code", "segment"),
    [
        (("IEA*1*000000042~", ISA), "x12.interchange_end", 22),
        (("GE*2*42~", "W12*CC*1*1~GE*2*42~"), "x12.unexpected", 21),
        ((GS, "W12*CC*1*1~"), "x12.unexpected", 2),
        (("IEA*1*000000042~", "IEA~" + FILE), "x12.unexpected", 22),
    ],
)
def test_segments_where_none_may_be_refuse_the_file(
    wrong: tuple[str, str], code: str, segment: int
) -> None:
    error = refusal(FILE.replace(*wrong))

    assert (error.code, error.segment) == (code, segment)


@pytest.mark.parametrize(
    ("wrong", "element"),
    [
        (("*000000042*0*P", "*00000004A*0*P"), 13),
        (("*U*00401*", "*U*4.1  *"), 12),
        (("*ZZ*EXAMPLEWH      *", "*ZZZ*EXAMPLEWH     *"), 5),
        (("*P*>~", "*P*~"), 16),
    ],
)
def test_a_header_with_wrong_elements_is_refused_by_name(
    wrong: tuple[str, str], element: int
) -> None:
    error = refusal(FILE.replace(*wrong, 1))

    assert (error.segment, error.tag, error.element) == (1, "ISA", element)


def test_a_header_without_a_component_separator_is_noticed_behind_the_group() -> None:
    lines = FILE.replace("*P*>~", "*P*~", 1).replace("~", "~\n")

    error = refusal(lines)

    assert (error.code, error.tag, error.element) == ("x12.isa", "ISA", 16)


def test_test_data_is_refused_in_production() -> None:
    data = FILE.replace("*0*P*", "*0*T*").encode()

    assert taken(read(data)) == ["0001", "0002"]
    file = read(data, Rules(production=True))
    assert taken(file) == []
    assert codes(file) == ["error: x12.usage 1 ISA 15"]


def test_a_file_of_nothing_but_errors_does_not_fill_the_memory() -> None:
    lines = "W12*XXX*a*b*c~" * 1000
    file = read(FILE.replace("LX*2~", lines).encode())

    found = file.interchanges[0].groups[0].sets[0].findings
    assert len(found) == 102
    assert found[-1].message == "3900 more findings are not listed"
    assert taken(file) == ["0002"]


def test_a_set_without_end_in_sight_is_refused() -> None:
    error = refusal(FILE, Rules(max_segments=10))

    assert (error.code, error.segment) == ("x12.max_segments", 13)


def test_a_segment_without_end_in_sight_is_refused() -> None:
    error = refusal(FILE.replace("LOT42", "x" * 400_000))

    assert error.code == "x12.terminator"


def test_a_bare_set_is_read_where_it_is_asked_for() -> None:
    assert len(read_bare(ADVICE.encode()).accepted().segments) == 11
    lines = read_bare(
        ADVICE.replace("*", "|").replace("~", "\n").encode(), delimiters=Delimiters("|", "\n")
    )
    assert lines.accepted().segments == read_bare(ADVICE.encode()).accepted().segments
    with pytest.raises(X12Error, match="segment 13, SE-01: is '12', expected 13"):
        read_bare(ADVICE.replace("SE*13", "SE*12").encode()).accepted()
    with pytest.raises(X12Error, match="expected nothing after SE"):
        read_bare((ADVICE + SECOND).encode())
    with pytest.raises(X12Error, match="expected ST"):
        read_bare(FILE.encode())


def test_a_stream_is_read_set_by_set() -> None:
    text = FILE + FILE.replace("Example", "Übersee") + FILE
    for data in (text.encode(), text.encode("latin-1")):
        items = list(read_sets(io.BytesIO(data)))

        kinds = [SetRead, SetRead, Group, Interchange] * 3
        assert [type(one) for one in items] == kinds
        whole = read(data)
        assert [one for one in items if isinstance(one, SetRead)] == [
            one for each in whole.interchanges for one in each.groups[0].sets
        ]


def test_pieces_of_the_stream_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (FILE.replace("Example", "Übersee") + "\n") * 3
    expected = list(read(text.encode()).accepted())

    for size in (1, 2, 3, 7, 105, 106, 107, 600):
        monkeypatch.setattr("syncworkers.x12.text.CHUNK", size)
        for source in (text.encode(), io.BytesIO(text.encode())):
            found = [one.transaction_set for one in read_sets(source) if isinstance(one, SetRead)]
            assert found == expected


@pytest.mark.parametrize("wrong", ["W06*F*SO\x001", "ZZ9*a\x00b"])
def test_a_nul_inside_a_segment_refuses_its_set_and_around_one_is_decoration(wrong: str) -> None:
    told = read(FILE.replace("~W06", f"\x00~{wrong}~W06", 1).encode())
    (first, second) = told.interchanges[0].groups[0].sets

    assert "x12.control" in [one.code for one in first.findings if one.level is Level.ERROR]
    assert not second.refused
