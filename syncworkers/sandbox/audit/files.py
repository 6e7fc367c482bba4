"""Files of warehouses that exchange some: groups are answered, and refused only if damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.audit.books import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COUNTS = "IB/"
"""Groups of counts of stock: one may be on its way at any time, and another follows."""
REFUSED = frozenset({"R", "P"})


def check(warehouse: str, books: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield what is wrong with our answers to a warehouse's groups."""
    for group, answer in answers(books).items():
        if answer is None and not group.startswith(COUNTS):
            yield Wrong(kind="lost", order="", what=f"{warehouse} never heard of its group {group}")
    reused = books.get("reused_numbers", 0)
    if reused:
        told = f"{warehouse} got {reused} of our numbers a second time, with other content"
        yield Wrong(kind="unexpected", order="", what=told)
    damaged = books.get("faults", {}).get("file.wrong_count", 0)
    if refused(books) > damaged:
        told = (
            f"{warehouse} damaged {damaged} files, and {refused(books)} of its groups were refused"
        )
        yield Wrong(kind="unexpected", order="", what=told)


def refused(books: Mapping[str, Any]) -> int:
    """Return how many groups were refused, at least in part: each is for a person."""
    return sum(answer in REFUSED for answer in answers(books).values())


def answers(books: Mapping[str, Any]) -> Mapping[str, str | None]:
    """Return by group how it was answered; a warehouse without files has none."""
    found: Mapping[str, str | None] = books.get("acknowledged", {})
    return found
