"""`make bench`: interleaved rounds of everything, or of what `--only` names."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks import acks, claims, codec, files, idle
from benchmarks import orders as booking
from benchmarks.report import Report
from benchmarks.stage import CHECKOUT, stage
from benchmarks.ways import plain, product, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.stage import Stage

SUBJECTS = ("orders", "idle", "acks", "claims", "scale", "hang", "codec", "file")
HANGING = 30_000
"""Milliseconds that a partner takes for each call when it hangs."""
SIZES = (5, 50)
"""Megabytes of the files that the codec reads."""
FLEETS = (1, 2, 4)
"""Worker processes, for the question how it scales."""


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--orders", default=1000, show_default=True, type=click.IntRange(10))
@click.option("--only", type=click.Choice(SUBJECTS), multiple=True, help="Measure only these.")
@click.option("--latency", type=int, multiple=True, default=(0, 50), show_default=True)
@click.option("--acks", "webhooks", default=4000, show_default=True, type=click.IntRange(100))
@click.option("--lines", default=20_000, show_default=True, type=click.IntRange(1000))
@click.option("--finished", type=int, multiple=True, default=(0, 1_000_000), show_default=True)
@click.option("--megabytes", default=50, show_default=True, type=click.IntRange(1))
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
    megabytes: int,
    file: Path | None,
) -> None:
    """Measure; write JSON and print min, median and max."""
    wanted = only or SUBJECTS
    report = Report()
    with stage(sorted({*latency, HANGING})) as on:
        measures: dict[str, Callable[[int], None]] = {
            "orders": lambda seed: _book(on, report, latency, orders=orders, seed=seed),
            "idle": lambda seed: _wait(on, report, latency[0], seed=seed),
            "acks": lambda seed: _acknowledge(on, report, latency[0], count=webhooks, seed=seed),
            "claims": lambda _: _claim(on, report, latency[0], count=lines, finished=finished),
            "scale": lambda seed: _scale(on, report, latency[0], orders=orders, seed=seed),
            "hang": lambda seed: _hang(on, report, latency[0], seed=seed),
            "codec": lambda _: _read(on, report),
            "file": lambda seed: _file(on, report, latency[0], megabytes=megabytes, seed=seed),
        }
        for number in range(1, rounds + 1):
            click.echo(f"round {number} of {rounds}", err=True)
            for name in wanted:
                measures[name](number)
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


def _book(on: Stage, report: Report, latencies: Sequence[int], *, orders: int, seed: int) -> None:
    """Run the orders through each way in turn, and compare."""
    for latency in latencies:
        _book_at(on, report, latency, orders=orders, seed=seed)


def _book_at(on: Stage, report: Report, latency: int, *, orders: int, seed: int) -> None:
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


def _wait(on: Stage, report: Report, latency: int, *, seed: int) -> None:
    """Send orders one by one to each way, and compare how long they take."""
    with product(on, latency) as way:
        report.add("idle, product", idle.measure(way, 100, seed))
    with plain(on, latency, concurrency=2) as way:
        report.add("idle, plain -c 2", idle.measure(way, 100, seed))
    ways = ("idle, product", "p99 ms"), ("idle, plain -c 2", "p99 ms")
    report.ratio("idle p99, product : plain -c 2", *ways)


def _scale(on: Stage, report: Report, latency: int, *, orders: int, seed: int) -> None:
    """Run the orders through fleets of several sizes on this one machine."""
    for workers in FLEETS:
        with product(on, latency, workers=workers) as way:
            report.add(f"product, {workers} workers", booking.measure(way, orders, seed))


def _hang(on: Stage, report: Report, latency: int, *, seed: int) -> None:
    """Book at the ERP while nothing goes to the warehouse, and while that hangs."""
    for name, warehouse in (("is paused", None), ("hangs", HANGING)):
        before = told_by(on.stubs[HANGING])["calls"]
        with product(on, latency, warehouse=warehouse) as way:
            figures = idle.measure(way, 300, seed, idle.STEADY)
        figures["calls that hung"] = told_by(on.stubs[HANGING])["calls"] - before
        report.add(f"to the ERP, warehouse {name}", figures)
    ways = ("to the ERP, warehouse hangs", "p99 ms"), ("to the ERP, warehouse is paused", "p99 ms")
    report.ratio("p99 to the ERP, warehouse hangs : is paused", *ways)


def _read(on: Stage, report: Report) -> None:
    for megabytes in SIZES:
        report.add(f"codec, {megabytes} MB", codec.measure(megabytes, on.folder))
    peak = "read_sets of a stream, peak MB"
    large, small = (f"codec, {max(SIZES)} MB", peak), (f"codec, {min(SIZES)} MB", peak)
    report.ratio(f"peak of read_sets, {max(SIZES)} MB : {min(SIZES)} MB", large, small)


def _file(on: Stage, report: Report, latency: int, *, megabytes: int, seed: int) -> None:
    """Book at the ERP without, and while a file of each kind is picked up and worked."""
    for kind in files.KINDS:
        with files.serving(on) as folder, product(on, latency, sftp=folder.port) as way:
            figures = files.measure(way, folder, kind, megabytes, seed)
        report.add(f"to the ERP, {kind}", figures)
        for name in ("p50 ms", "p99 ms") if files.KINDS[kind] else ():
            with_it, without = (f"to the ERP, {kind}", name), ("to the ERP, no file", name)
            report.ratio(f"{name} to the ERP, {kind} : no file", with_it, without)


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
            for condition in claims.CONDITIONS:
                subject = f"claims, {wanted:,} finished, {condition}"
                report.add(subject, claims.measure(way, count, condition))


if __name__ == "__main__":
    bench()
