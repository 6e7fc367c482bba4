"""Every real EDI file is read, or refused at a named place, as docs/edi.md says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from syncworkers.x12.errors import X12Error, place
from syncworkers.x12.read import read, read_bare
from syncworkers.x12.rules import Level
from tests.contracts.shared import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.x12.findings import Finding

pytestmark = pytest.mark.contract
DOCS = Path(__file__).parents[2] / "docs" / "edi.md"


def told(heading: str) -> dict[str, tuple[str, ...]]:
    """Return what the docs say of each file, without the remark."""
    text = DOCS.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {row[0]: row[1:4] for row in rows}


def summary(taken: int, count: int, findings: Sequence[Finding]) -> tuple[str, ...]:
    errors = [one for one in findings if one.level is Level.ERROR]
    where = ""
    if errors:
        worst = errors[0]
        where = _named(worst.code, worst.segment, worst.tag, worst.element)
    return f"{taken} of {count}", where, str(len(findings) - len(errors))


def _named(code: str, segment: int | None, tag: str, element: int | None) -> str:
    return f"{code}, {place(segment, tag, element).removesuffix(': ')}"


def outcome(data: bytes) -> tuple[str, ...]:
    try:
        file = read(data)
    except X12Error as error:
        return "none", _named(error.code, error.segment, error.tag, error.element), ""
    sets = [one for each in file.interchanges for group in each.groups for one in group.sets]
    return summary(len(list(file.accepted())), len(sets), file.findings)


def outcome_bare(data: bytes) -> tuple[str, ...]:
    found = read_bare(data)
    return summary(0 if found.refused else 1, 1, found.findings)


def test_every_sample_is_read_or_refused_as_the_docs_say() -> None:
    files = sorted(folder("samples/edi").glob("*.edi"))
    assert len(files) >= 24

    found = {file.name: outcome(file.read_bytes()) for file in files}

    assert found == told("The samples")


def test_every_bare_set_among_them_is_read_or_refused_as_the_docs_say() -> None:
    files = sorted(folder("samples/edi").glob("*.edi"))
    bare = [file for file in files if file.read_bytes().startswith(b"ST")]

    found = {file.name: outcome_bare(file.read_bytes()) for file in bare}

    assert len(found) == 3
    assert found == told("Bare sets among the samples")
