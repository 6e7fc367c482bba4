"""Whatever a file holds, the codec reads it, refuses it with a place, or says it is incomplete."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncworkers.x12.acknowledge import acknowledge, acknowledge_interchange
from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.outcomes import File, SetRead
from syncworkers.x12.read import read, read_sets
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Segment, TransactionSet
from syncworkers.x12.tables import DOCUMENTS
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet, write
from tests.unit.x12_parts import AT, FILES, SETS, file_of, outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES, EACH = 110, 200
"""22,000 mutations: hypothesis chooses seeds and files, each seed makes many mutations."""
RULES = (
    Rules(),
    Rules(
        **{one: Level.WARN for one in Rules.__slots__ if one not in {"production", "max_segments"}}
    ),
    Rules(elements=Level.ERROR, segments=Level.ERROR, junk=Level.ERROR, padding=Level.ERROR),
)


def flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def swap_delimiter(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.choice(b"*~>|\r\n\x00\x1a ^U.\\")


def cut(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 2, 10, 100, len(data)))]


def double(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    length = chance.choice((1, 3, 30, 300))
    data[at:at] = data[at : at + length] * chance.choice((1, 1, 2, 5))


def insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.choice(
        (
            b"ISA*00*",
            b"\xef\xbb\xbf",
            b"\n",
            b"SE*1*1~",
            b"IEA*1*",
            b"GS*",
            b"~~",
            b"9" * 50,
            b"\xff",
        )
    )


def move_segment(data: bytearray, chance: random.Random) -> None:
    segments = bytes(data).split(b"~")
    taken = segments.pop(chance.randrange(len(segments)))
    segments.insert(chance.randrange(len(segments) + 1), taken)
    data[:] = b"~".join(segments)


def exchange(data: bytearray, chance: random.Random) -> None:
    """Exchange two characters throughout."""
    one, other = chance.choice(b"*~>0UP1"), chance.choice(b"|}\n\r:^\t .")
    table = bytes.maketrans(bytes((one, other)), bytes((other, one)))
    data[:] = data.translate(table)


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    flip,
    swap_delimiter,
    cut,
    double,
    insert,
    move_segment,
    exchange,
)


def mutated(original: bytes, chance: random.Random) -> bytes:
    data = bytearray(original)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        chance.choice(MUTATIONS)(data, chance)
        if not data:
            break
    return bytes(data)


def judge(data: bytes, rules: Rules) -> str:
    """Read a file; whatever comes out must hold together, and can be answered."""
    try:
        file = read(data, rules)
    except X12Error as error:
        assert error.code.startswith("x12."), data
        assert error.message, data
        assert error.segment is not None, data
        assert error.segment > 0, data
        return error.code
    for found in file.accepted():
        assert TransactionSet.loads(found.dumps()) == found, data
        assert [one.number for one in found.segments] == list(range(2, len(found.segments) + 2))
    answered(file, data)
    return "read"


def answered(file: File, data: bytes) -> None:
    """Every group and interchange that could be read can be acknowledged, and we read that."""
    for interchange in file.interchanges:
        made = (acknowledge(group, "0001") for group in interchange.groups)
        sets = tuple(one for one in made if one is not None)
        group = OutGroup(
            functional_id="FA", sender="US", receiver="WH", control_number=1, sets=sets
        )
        out = replace(
            outgoing(), groups=(group,), acknowledgements=(acknowledge_interchange(interchange),)
        )
        assert read(write(out)).findings == (), data


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), file=st.sampled_from(FILES), rules=st.sampled_from(RULES))
def test_mutated_files_raise_nothing_but_the_codecs_error(
    seed: int, file: str, rules: Rules
) -> None:
    chance = random.Random(seed)  # noqa: S311 - mutations
    original = file.encode()

    outcomes = [judge(mutated(original, chance), rules) for _ in range(EACH)]

    assert len(outcomes) == EACH


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), header=st.booleans())
def test_bytes_of_any_kind_raise_nothing_but_the_codecs_error(data: bytes, *, header: bool) -> None:
    judge((FILES[0][:106].encode() if header else b"") + data, Rules())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), file=st.sampled_from(FILES))
def test_a_mutated_stream_and_the_whole_file_agree(seed: int, file: str) -> None:
    chance = random.Random(seed)  # noqa: S311 - mutations
    for _ in range(20):
        data = mutated(file.encode(), chance)
        found: list[SetRead] = []
        error = ""
        try:
            items = read_sets(io.BytesIO(data))
            found.extend(one for one in items if isinstance(one, SetRead))
        except X12Error as caught:
            error = str(caught)

        try:
            whole = read(data)
        except X12Error as caught:
            assert str(caught) == error
        else:
            groups = (group for one in whole.interchanges for group in one.groups)
            assert [one for group in groups for one in group.sets] == found


def test_each_document_is_read_and_written_by_the_same_table() -> None:
    codes = set()
    for functional_id in SETS:
        file = read(file_of(functional_id).encode())
        assert file.findings == ()
        (found,) = file.accepted()
        codes.add(found.code)
        if functional_id == "IM":
            continue  # has a composite, which we never write
        made = OutSet(code=found.code, control_number="0001", segments=found.segments)
        group = replace(outgoing().groups[0], functional_id=functional_id, sets=(made,))
        back = read(write(replace(outgoing(), groups=(group,))))
        assert back.findings == ()
        assert next(back.accepted()).segments == found.segments
    assert codes == set(DOCUMENTS)


VALUE = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.lists(VALUE, max_size=6), max_size=6),
    delimiters=st.sampled_from(
        (
            Delimiters(),
            Delimiters("|", "\n", "^"),
            Delimiters("~", "}", "`"),
            Delimiters("\x1d", "\x1c", "\x1f"),
        )
    ),
)
def test_what_is_written_reads_equal_or_is_refused(
    values: list[list[str]], delimiters: Delimiters
) -> None:
    segments = tuple(Segment("N2", tuple(one)) for one in values)
    made = OutSet(
        code="940", control_number="0001", segments=(Segment("W05", ("N", "SO1")), *segments)
    )
    held = any(set(delimiters.all) & set(value) for one in values for value in one)

    try:
        data = write(outgoing(made), delimiters)
    except X12Error as error:
        assert held
        assert (error.tag, error.element is None) == ("N2", False)
        return

    assert not held
    (found,) = read(data).accepted()
    assert [one.elements for one in found.segments[1:]] == [normal(one) for one in values]


def normal(values: list[str]) -> tuple[str, ...]:
    """Drop what says nothing: blanks behind a value, and empty elements at the end."""
    bare = [one.rstrip(" ") for one in values]
    while bare and not bare[-1]:
        bare.pop()
    return tuple(bare)


@pytest.mark.parametrize("count", [1, 3])
def test_an_interchange_written_is_the_interchange_read(count: int) -> None:
    sets = tuple(
        OutSet(
            code="947",
            control_number=f"{number:04d}",
            segments=(Segment("W15", ("20261126",)), Segment("W19", ("06", "-3", "EA"))),
        )
        for number in range(1, count + 1)
    )
    group = replace(outgoing().groups[0], functional_id="AW", sets=sets)
    out: OutInterchange = replace(outgoing(), groups=(group, group), at=AT)

    (found,) = read(write(out)).interchanges

    assert found.findings == ()
    assert [len(one.sets) for one in found.groups] == [count, count]
    assert (found.envelope.date, found.envelope.time) == ("261123", "0905")
