"""Isolate a bad row: a batch that fails is halved and run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

RERUN = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the whole batch is run again as it was."""
RERUNS = 5


def run_halved(
    items: Sequence[Item],
    run: Callable[[Sequence[Item]], None],
    give_up: Callable[[Item, Exception], None],
) -> None:
    """Run a transaction over all items; on failure over each half, down to the one that is bad.

    `run` must be one transaction; `give_up` records the single bad item in its own. A lost
    connection is not a bad row: it leaves as it is, and the lease decides.
    """
    error = _run_again(items, run)
    if error is None:
        return
    if len(items) == 1:
        give_up(items[0], error)
        return
    middle = len(items) // 2
    run_halved(items[:middle], run, give_up)
    run_halved(items[middle:], run, give_up)


def _run_again(items: Sequence[Item], run: Callable[[Sequence[Item]], None]) -> Exception | None:
    for _ in range(RERUNS):
        try:
            run(items)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            if getattr(error.orig, "sqlstate", None) in RERUN:
                continue
            if isinstance(error, OperationalError):
                raise
            return error
        except Exception as error:  # noqa: BLE001 - one bad row must not stop its batch
            return error
        else:
            return None
    run(items)
    return None
