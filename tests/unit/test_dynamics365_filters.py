"""`$filter` in the simulated ERP: fifty alternatives are one look-up, and mean what they say."""

from __future__ import annotations

import pytest

from syncworkers.sandbox.dynamics365.filters import FilterError, compile_filter

ROWS = [
    {"dataAreaId": company, "SalesOrderNumber": f"SO-{number}", "LineNumber": number % 3}
    for company in ("usmf", "demf")
    for number in range(6)
]


def found(text: str) -> list[str]:
    test = compile_filter(text)
    return [f"{row['dataAreaId']}/{row['SalesOrderNumber']}" for row in ROWS if test(row)]


def test_alternatives_over_the_same_fields_are_looked_up_together() -> None:
    wanted = " or ".join(
        f"(dataAreaId eq '{company}' and SalesOrderNumber eq 'SO-{number}')"
        for company, number in (("USMF", 1), ("demf", 2), ("usmf", 9))
    )

    assert found(wanted) == ["usmf/SO-1", "demf/SO-2"]


def test_alternatives_over_different_fields_are_tried_one_by_one() -> None:
    assert found("SalesOrderNumber eq 'SO-4' or LineNumber eq 2 and dataAreaId eq 'demf'") == [
        "usmf/SO-4",
        "demf/SO-2",
        "demf/SO-4",
        "demf/SO-5",
    ]


def test_other_relations_keep_their_meaning_beside_equality() -> None:
    assert found("dataAreaId eq 'usmf' and LineNumber ge 1 and SalesOrderNumber ne 'SO-1'") == [
        "usmf/SO-2",
        "usmf/SO-4",
        "usmf/SO-5",
    ]


@pytest.mark.parametrize("text", ["Nobody eq 'x'", "Nobody eq 'x' or Nobody eq 'y'"])
def test_a_field_nobody_has_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match="Could not find a property named 'Nobody'"):
        found(text)
