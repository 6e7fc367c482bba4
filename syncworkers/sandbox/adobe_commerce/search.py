"""searchCriteria: groups of filters, sorting, pages; a page past the end repeats the last one."""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.adobe_commerce.books import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
_FILTER = re.compile(
    r"searchCriteria\[filter_?[gG]roups\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|condition_?[tT]ype)\]"
)
_SORT = re.compile(r"searchCriteria\[sortOrders\]\[(\d+)\]\[(field|direction)\]")
DEFAULT_PAGE = 20
CONDITIONS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "in": lambda told, wanted: told in wanted.split(","),
    "gteq": operator.ge,
    "lteq": operator.le,
    "gt": operator.gt,
    "lt": operator.lt,
}


def search(rows: Iterable[Row], query: Mapping[str, str]) -> Row:
    """Answer a search; raises `RefusedError` for a condition nobody knows."""
    groups = _filters(query)
    found = [row for row in rows if all(_holds(row, group) for group in groups)]
    for name, descending in reversed(_sorts(query)):
        found.sort(key=lambda row: _sortable(row.get(name)), reverse=descending)
    size = int(query.get("searchCriteria[pageSize]", DEFAULT_PAGE))
    last = max(1, -(-len(found) // size))
    page = min(max(1, int(query.get("searchCriteria[currentPage]", 1))), last)
    return {
        "items": found[(page - 1) * size : page * size],
        "search_criteria": {"page_size": size, "current_page": page},
        "total_count": len(found),
    }


def _filters(query: Mapping[str, str]) -> list[list[dict[str, str]]]:
    groups: dict[int, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for key, value in query.items():
        if match := _FILTER.fullmatch(key):
            name = "condition" if match[3].startswith("condition") else match[3]
            groups[int(match[1])][int(match[2])][name] = value
    return [list(group.values()) for group in groups.values()]


def _sorts(query: Mapping[str, str]) -> list[tuple[str, bool]]:
    sorts: dict[int, dict[str, str]] = defaultdict(dict)
    for key, value in query.items():
        if match := _SORT.fullmatch(key):
            sorts[int(match[1])][match[2]] = value
    return [
        (one["field"], one.get("direction", "DESC").upper() == "DESC")
        for _, one in sorted(sorts.items())
        if "field" in one
    ]


def _holds(row: Row, group: list[dict[str, str]]) -> bool:
    return any(_fits(row, one) for one in group)


def _fits(row: Row, one: dict[str, str]) -> bool:
    value, wanted = row.get(one["field"]), one.get("value", "")
    told = "" if value is None else str(value)
    condition = one.get("condition", "eq")
    if condition not in CONDITIONS:
        raise RefusedError("The condition %1 is not known.", condition)
    return CONDITIONS[condition](told, wanted)


def _sortable(value: Any) -> tuple[bool, float, str]:
    number = float(value) if isinstance(value, int | float) else 0.0
    return (value is None, number, "" if isinstance(value, int | float) else str(value))
