"""Figures over rounds: a table with min, median and max, and the same as JSON."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path


class Report:
    """What was measured, by subject and figure, one value for each round."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = {}

    def add(self, subject: str, figures: dict[str, float]) -> None:
        """Add the figures of one round."""
        for name, value in figures.items():
            self._values.setdefault(subject, {}).setdefault(name, []).append(value)

    def ratio(self, title: str, above: tuple[str, str], below: tuple[str, str]) -> None:
        """Add the ratio of the latest round."""
        self.add("ratios", {title: self._of(above)[-1] / self._of(below)[-1]})

    def _of(self, place: tuple[str, str]) -> list[float]:
        return self._values[place[0]][place[1]]

    def write(self, file: Path, about: dict[str, object]) -> None:
        """Write everything as JSON."""
        file.write_text(json.dumps({"about": about, "figures": self._values}, indent=2) + "\n")

    def show(self) -> None:
        """Print the table."""
        table = Table("what", "figure", *("min", "median", "max"), box=None)
        for column in table.columns[2:]:
            column.justify = "right"
        for subject, figures in self._values.items():
            for place, (name, values) in enumerate(figures.items()):
                row = (min(values), statistics.median(values), max(values))
                shown = (_shown(value) for value in row)
                table.add_row("" if place else subject, name, *shown)
        Console(width=120).print(table)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
