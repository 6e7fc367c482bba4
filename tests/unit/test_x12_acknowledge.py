"""997 and TA1 out: the fate of every set, with the places of what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncworkers.x12.acknowledge import acknowledge, acknowledge_interchange
from syncworkers.x12.outcomes import Group, SetRead
from syncworkers.x12.read import read, read_sets
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Segment
from syncworkers.x12.write import OutGroup, OutInterchange, write
from tests.unit.x12_parts import AT, FILE


def written(segments: tuple[Segment, ...]) -> list[str]:
    return ["*".join((one.tag, *one.elements)).rstrip("*") for one in segments]


def answer(text: str, rules: Rules | None = None) -> list[str]:
    group = read(text.encode(), rules or Rules()).interchanges[0].groups[0]
    made = acknowledge(group, "0001")
    assert made is not None
    group_out = OutGroup(
        functional_id="FA", sender="US", receiver="WH", control_number=1, sets=(made,)
    )
    out = OutInterchange(
        sender_qualifier="ZZ",
        sender="US",
        receiver_qualifier="ZZ",
        receiver="WH",
        control_number=1,
        at=AT,
        groups=(group_out,),
    )
    back = read(write(out))
    assert back.findings == ()
    (found,) = back.accepted()
    return written(found.segments)


def test_a_sound_group_is_accepted() -> None:
    assert answer(FILE) == [
        "AK1*SW*42",
        "AK2*945*0001",
        "AK5*A",
        "AK2*945*0002",
        "AK5*A",
        "AK9*A*2*2*2",
    ]


def test_a_refused_set_names_segment_and_element_and_the_other_is_accepted() -> None:
    text = FILE.replace("W12*CC*10*10", "W12*CC*10*ten").replace("N9*LI*1", "ZZ9*1")

    assert answer(text, Rules(elements=Level.ERROR, segments=Level.ERROR)) == [
        "AK1*SW*42",
        "AK2*945*0001",
        "AK3*W12*7**8",
        "AK4*3**6*ten",
        "AK3*ZZ9*8**6",
        "AK5*R*5",
        "AK2*945*0002",
        "AK5*A",
        "AK9*P*2*2*1",
    ]


def test_warnings_are_accepted_with_errors() -> None:
    assert answer(FILE.replace("W12*CC*10*10", "W12*CC*10*ten")) == [
        "AK1*SW*42",
        "AK2*945*0001",
        "AK3*W12*7**8",
        "AK4*3**6*ten",
        "AK5*E*5",
        "AK2*945*0002",
        "AK5*A",
        "AK9*E*2*2*2",
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (("SE*13*0001", "SE*12*0001"), "R*4"),
        (("SE*13*0001", "SE*13*0007"), "R*3"),
        (("SE*13*0001", "SE*12*0007"), "R*3*4"),
        (("SE*13*0001~", ""), "R*2"),
    ],
)
def test_wrong_pairs_and_counts_have_their_codes(wrong: tuple[str, str], code: str) -> None:
    found = answer(FILE.replace(*wrong))

    assert found[2] == f"AK5*{code}"
    assert found[-1] == "AK9*P*2*2*1"


@pytest.mark.parametrize(
    ("wrong", "last"),
    [
        (("GE*2*42", "GE*3*42"), "AK9*R*3*2*0*5"),
        (("GE*2*42", "GE*2*43"), "AK9*R*2*2*0*4"),
        (("GE*2*42~", ""), "AK9*R*2*2*0*3"),
    ],
)
def test_a_refused_group_refuses_all_its_sets(wrong: tuple[str, str], last: str) -> None:
    found = answer(FILE.replace(*wrong))

    assert found[1:-1] == ["AK2*945*0001", "AK5*R", "AK2*945*0002", "AK5*R"]
    assert found[-1] == last


def test_values_that_would_break_the_answer_are_left_out() -> None:
    text = FILE.translate(str.maketrans({"*": "|", "~": "\n", ">": "^"}))
    text = text.replace("0001\n", "0*1~\n").replace("W12|CC|10", "W12|CC|1*0")

    assert answer(text)[1:5] == ["AK2*945*01", "AK3*W12*7**8", "AK4*2**6", "AK5*E*5"]


def test_a_group_of_acknowledgements_is_never_acknowledged() -> None:
    group_out = OutGroup(
        functional_id="FA",
        sender="US",
        receiver="WH",
        control_number=1,
        sets=(acknowledge(read(FILE.encode()).interchanges[0].groups[0], "0001"),),  # type: ignore[arg-type]
    )
    out = OutInterchange(
        sender_qualifier="ZZ",
        sender="US",
        receiver_qualifier="ZZ",
        receiver="WH",
        control_number=1,
        at=AT,
        groups=(group_out,),
    )

    assert acknowledge(read(write(out)).interchanges[0].groups[0], "0002") is None


def test_sets_read_one_by_one_are_acknowledged_without_their_content() -> None:
    sets = []
    for item in read_sets(FILE.replace("SE*13*", "SE*12*").encode()):
        if isinstance(item, SetRead):
            sets.append(replace(item, transaction_set=None))
        elif isinstance(item, Group):
            made = acknowledge(replace(item, sets=tuple(sets)), "0001")
            assert made is not None
            assert written(made.segments)[-1] == "AK9*P*2*2*1"


@pytest.mark.parametrize(
    ("wrong", "rules", "expected"),
    [
        (("", ""), Rules(), "A*000"),
        (("IEA*1*000000042", "IEA*1*000000043"), Rules(), "R*001"),
        (("IEA*1*", "IEA*2*"), Rules(), "R*021"),
        (("IEA*1*", "IEA*2*"), Rules(interchange_count=Level.WARN), "E*021"),
        (("*0*P*>", "*0*T*>"), Rules(production=True), "R*020"),
        (("EXAMPLEWH      ", "EXAMPLEWH"), Rules(), "E*022"),
    ],
)
def test_an_interchange_is_acknowledged_by_ta1(
    wrong: tuple[str, str], rules: Rules, expected: str
) -> None:
    (interchange,) = read(FILE.replace(*wrong, 1).encode(), rules).interchanges

    made = acknowledge_interchange(interchange)

    assert written((made,)) == [f"TA1*000000042*261124*1710*{expected}"]


def test_a_ta1_travels_without_a_group_and_is_read() -> None:
    (interchange,) = read(FILE.replace("*0*P*>", "*1*P*>").encode()).interchanges
    assert interchange.envelope.acknowledge
    out = OutInterchange(
        sender_qualifier="ZZ",
        sender="US",
        receiver_qualifier="ZZ",
        receiver="WH",
        control_number=1,
        at=AT,
        acknowledgements=(acknowledge_interchange(interchange),),
    )

    file = read(write(out))

    assert file.findings == ()
    assert written(file.interchanges[0].acknowledgements) == ["TA1*000000042*261124*1710*A*000"]
