"""Live progress of a demo: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from syncworkers.cli.output import errors

if TYPE_CHECKING:
    from types import TracebackType

    from syncworkers.cli.demo_run import Headway

EVERY = 5.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """Shows how far a demo is."""

    def __init__(self, orders: int, *, quiet: bool) -> None:
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._next = 0.0
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=errors,
            disable=not self._live,
        )
        self._placed = self._bars.add_task("placed", total=orders, note="")
        self._booked = self._bars.add_task("booked", total=orders, note="")
        self._shipped = self._bars.add_task("shipped", total=None, note="")
        self._told = self._bars.add_task("told", total=None, note="")
        self._invoiced = self._bars.add_task("invoiced", total=None, note="")

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture."""
        self._bars.stop()

    def show(self, headway: Headway) -> None:
        """Show how far everything is."""
        faults = sum(headway.faults.values())
        note = f"{headway.open_lines} lines under way, {faults} faults so far"
        self._bars.update(self._placed, completed=headway.placed)
        self._bars.update(self._booked, completed=headway.booked, note=note)
        parcels = max(1, headway.shipped)
        self._bars.update(self._shipped, completed=headway.shipped, total=parcels)
        self._bars.update(self._told, completed=headway.told, total=parcels)
        self._bars.update(self._invoiced, completed=headway.invoiced, total=parcels)
        if self._live or self._quiet or headway.seconds < self._next:
            return
        self._next = headway.seconds + EVERY
        errors.print(
            f"{headway.seconds:5.1f} s  placed {headway.placed}, booked {headway.booked},"
            f" shipped {headway.shipped}, told {headway.told}, invoiced {headway.invoiced},"
            f" {note}",
            soft_wrap=True,
        )
