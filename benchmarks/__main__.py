"""`make bench`: interleaved rounds of everything, or of what `--only` names."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks import acks, claims
from benchmarks import orders as booking
from benchmarks.report import Report
from benchmarks.stage import CHECKOUT, stage
from benchmarks.ways import plain, product

if TYPE_CHECKING:
    from benchmarks.stage import Stage

SUBJECTS = ("orders", "acks", "claims")


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--orders", default=1000, show_default=True, type=click.IntRange(10))
@click.option("--only", type=click.Choice(SUBJECTS), multiple=True, help="Measure only these.")
@click.option("--latency", type=int, multiple=True, default=(0, 50), show_default=True)
@click.option("--acks", "webhooks", default=4000, show_default=True, type=click.IntRange(100))
@click.option("--lines", default=20_000, show_default=True, type=click.IntRange(1000))
@click.option("--finished", type=int, multiple=True, default=(0, 1_000_000), show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), default=None)
def bench(  # noqa: PLR0913 - its arguments are the command's options
    *,
    rounds: int,
    orders: int,
    only: tuple[str, ...],
    latency: tuple[int, ...],
    webhooks: int,
    lines: int,
    finished: tuple[int, ...],
    file: Path | None,
) -> None:
    """Measure; write JSON and print min, median and max."""
    wanted = only or SUBJECTS
    report = Report()
    with stage(list(latency)) as on:
        for number in range(1, rounds + 1):
            click.echo(f"round {number} of {rounds}", err=True)
            if "orders" in wanted:
                for one in latency:
                    _book(on, report, one, orders=orders, seed=number)
            if "acks" in wanted:
                _acknowledge(on, report, latency[0], count=webhooks, seed=number)
            if "claims" in wanted:
                _claim(on, report, latency[0], count=lines, finished=finished)
    about = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "orders": orders,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    report.show()
    file = file or CHECKOUT / ".syncworkers" / "bench" / "result.json"
    report.write(file, about)
    click.echo(f"written to {file}", err=True)


def _book(on: Stage, report: Report, latency: int, *, orders: int, seed: int) -> None:
    """Run the orders through each way in turn, and compare."""
    ours, plainly = f"product, ERP {latency} ms", f"plain -c {{}}, ERP {latency} ms"
    with product(on, latency) as way:
        report.add(ours, booking.measure(way, orders, seed))
    for concurrency in (2, 16):
        with plain(on, latency, concurrency=concurrency) as way:
            report.add(plainly.format(concurrency), booking.measure(way, orders // 2, seed))
        other = plainly.format(concurrency)
        name = f"ERP {latency} ms: orders/s, product : plain -c {concurrency}"
        report.ratio(name, (ours, "orders/s"), (other, "orders/s"))
        name = f"ERP {latency} ms: CPU per order, product : plain -c {concurrency}"
        report.ratio(name, (ours, "CPU ms/order"), (other, "CPU ms/order"))


def _acknowledge(on: Stage, report: Report, latency: int, *, count: int, seed: int) -> None:
    with product(on, latency, workers=0) as way:
        report.add("raw commits", acks.measure_floor(way.database, count, seed))
        report.add("acks", acks.measure(way, count, seed))
    report.ratio("acks : raw commits", ("acks", "acks/s"), ("raw commits", "commits/s"))


def _claim(
    on: Stage, report: Report, latency: int, *, count: int, finished: tuple[int, ...]
) -> None:
    with product(on, latency, workers=0) as way:
        laid = 0
        for wanted in sorted(finished):
            claims.prepare(way, laid, wanted)
            laid = wanted
            report.add(f"claims, {wanted:,} finished", claims.measure(way, count))


if __name__ == "__main__":
    bench()
