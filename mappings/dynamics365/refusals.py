"""Refuse, all at once, what the ERP would not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncworkers.errors import Violation


def refuse(violations: Iterable[Violation]) -> None:
    """Raise `RejectedError` if there is a reason to."""
    found = tuple(violations)
    if found:
        text = "; ".join(f"{one.path}: {one.message}" for one in found)
        raise RejectedError(f"the ERP cannot take it: {text}", violations=found)
