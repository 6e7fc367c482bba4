"""A picture of a storm: what stood in the partners' books over time, and when which blow fell."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.storm.inflict import Struck
    from syncworkers.storm.watch import Sample

WIDTH, HEIGHT = 1200, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 90, 40
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
BLOWS = {
    "worker": "#e67e22",
    "pool_child": "#e67e22",
    "gateway": "#c0392b",
    "beat": "#7f8c8d",
    "redis": "#8e44ad",
    "postgres": "#2c3e50",
    "partner": "#16a085",
}
"""By what is struck: the colour of its line."""


def draw(samples: Sequence[Sample], struck: Sequence[Struck]) -> str:
    """Draw the timeline as SVG; time runs from left to right in seconds."""
    last = max([1.0, *(one.at for one in samples), *(one.at for one in struck)])
    most = max([1, *(count for one in samples for count in (one.placed, *one.counts.values()))])
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *(_blow(one, last) for one in struck),
        *_lines(samples, last, most),
        *_axes(last, most),
        "</svg>",
    ]
    return "\n".join(parts)


def _x(at: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / last


def _y(count: float, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / most


def _blow(struck: Struck, last: float) -> str:
    colour = BLOWS.get(struck.blow.value.partition(".")[0], "black")
    x, label = _x(struck.at, last), escape(struck.blow.value)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{HEIGHT - BOTTOM}" stroke="{colour}"'
        f' stroke-width="1" opacity="0.5"><title>{label} at {struck.at:.0f} s</title></line>'
    )


def _lines(samples: Sequence[Sample], last: float, most: int) -> list[str]:
    if not samples:
        return []
    series = {"placed": [(one.at, one.placed) for one in samples]}
    for name in samples[0].counts:
        series[name] = [(one.at, one.counts[name]) for one in samples]
    drawn = []
    for place, (name, points) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = " ".join(f"{_x(at, last):.1f},{_y(count, most):.1f}" for at, count in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{LEFT + place * 160}" y="20" fill="{colour}">{escape(name)}</text>')
    for place, (name, colour) in enumerate(BLOWS.items()):
        drawn.append(f'<text x="{LEFT + place * 110}" y="44" fill="{colour}">| {name}</text>')
    return drawn


def _axes(last: float, most: int) -> list[str]:
    bottom = HEIGHT - BOTTOM
    axes = [f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="black"/>']
    for tenth in range(0, 11, 2):
        x, y = _x(last * tenth / 10, last), _y(most * tenth / 10, most)
        axes.append(f'<text x="{x:.0f}" y="{bottom + 16}">{last * tenth / 10:.0f} s</text>')
        axes.append(f'<text x="8" y="{y:.0f}">{most * tenth / 10:.0f}</text>')
    return axes
