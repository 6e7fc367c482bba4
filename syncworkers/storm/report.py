"""What a storm came to: figures for scripts, a page for people, and a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.storm.timeline import draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from syncworkers.storm.inflict import Struck
    from syncworkers.storm.schedule import Scheduled
    from syncworkers.storm.watch import Recovery, Sample

RECOVERED_WITHIN = 60.0
"""Seconds after any blow within which work must reach every partner again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A storm and what came of it; `result` is the demo's, audited at the end.

    `wrong` is what never may stand in the partners' books and did meanwhile, with the second in
    which it was seen. The schedule follows from the seed, and is kept to strike it again.
    """

    seed: int
    minutes: float
    kills: int
    checks: int
    wrong: Mapping[str, float]
    struck: Sequence[Struck]
    recoveries: Sequence[Recovery]
    schedule: Sequence[Scheduled]
    result: Mapping[str, Any]

    @property
    def slowest(self) -> float:
        """Return the seconds of the slowest recovery."""
        return max((one.seconds for one in self.recoveries if one.seconds is not None), default=0.0)

    @property
    def ok(self) -> bool:
        """Say whether all is well."""
        return bool(self.result["ok"]) and not self.wrong and self.slowest < RECOVERED_WITHIN


def write(report: Report, samples: Sequence[Sample], folder: Path) -> Path:
    """Leave `report.json`, `report.md` and `timeline.svg` in a folder; return the page's place."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"ok": report.ok, "slowest_recovery": report.slowest, **asdict(report)}
    (folder / "report.json").write_text(json.dumps(whole, default=str, indent=1), "utf-8")
    (folder / "timeline.svg").write_text(draw(samples, report.struck), "utf-8")
    page = folder / "report.md"
    page.write_text(_page(report), "utf-8")
    return page


def _page(report: Report) -> str:
    result = report.result
    told = (
        f"{report.minutes:g} minutes, {result['orders']} orders, {len(report.struck)} blows, "
        f"{report.kills} processes killed, {report.checks} looks at the books meanwhile."
    )
    came = (
        f"Lost {result['lost']}, duplicated {result['duplicated']}, mismatched "
        f"{result['mismatched']}; slowest recovery {report.slowest:.1f} s."
    )
    lines = [
        f"# Storm {report.seed}: {'all is well' if report.ok else 'NOT WELL'}",
        "",
        told,
        "",
        came,
        "",
        "![timeline](timeline.svg)",
        "",
        "| blow | times | slowest recovery, s |",
        "|---|---|---|",
    ]
    for blow in sorted({one.blow for one in report.recoveries}):
        times = [one.seconds for one in report.recoveries if one.blow == blow]
        slowest = max((one for one in times if one is not None), default=None)
        shown = "the storm ended before" if slowest is None else f"{slowest:.1f}"
        lines.append(f"| {blow} | {len(times)} | {shown} |")
    lines += [f"- seen at {at:.0f} s: {what}" for what, at in report.wrong.items()]
    again = f'make chaos ARGS="--minutes {report.minutes:g} --seed {report.seed}"'
    lines += ["", f"The same storm again: `{again}`", ""]
    return "\n".join(lines)
