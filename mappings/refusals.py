"""Refuse, all at once, what a partner would not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncworkers.errors import Violation


def refuse(violations: Iterable[Violation], *, who: str) -> None:
    """Raise `RejectedError` if there is a reason to; `who` could not take it: `the ERP`."""
    found = tuple(violations)
    if found:
        text = "; ".join(f"{one.path}: {one.message}" for one in found)
        raise RejectedError(f"{who} cannot take it: {text}", violations=found)
