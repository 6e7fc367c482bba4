"""What a demo shows: the audit of the partners' books, what it cost, and the promises checked."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from rich.markup import escape
from rich.table import Table

from syncworkers.cli.demo_run import count_faults
from syncworkers.cli.output import console
from syncworkers.sandbox.audit import Audit, audit
from syncworkers.store import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.cli.demo_run import Books, Run
    from syncworkers.flows.fleet import Fleet

WAKE_UPS = (
    "orders.process",
    "orders.deliver",
    "shipments.process",
    "shipments.deliver",
    "invoices.process",
    "dead_letter.open_cases",
)
"""Messages that follow from orders; the others are beat's, by the clock."""
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """An exception case that waits for a person."""

    id: int
    order: str | None
    """Store and number of the order it is about; None if it is about no order we have."""
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result; its names are stable, scripts read them."""

    ok: bool
    orders: int
    shipments: int
    invoices: int
    confirmed: int
    lost: int
    duplicated: int
    mismatched: int
    open_cases: int
    """Exception cases; an order may have several."""
    orders_with_cases: int
    """Orders that have an open case. For `ok` they must be the very orders for people."""
    orders_for_people: int
    """Orders that a person must look at, by the partners' books: a change came too late."""
    files_for_people: int
    """Damaged groups of documents: for `ok` there must be as many cases about no order."""
    settled: bool
    """Everything came to rest in time."""
    ledger_findings: int
    faults: dict[str, int]
    calls_per_order: dict[str, float]
    celery_messages_per_order: float
    beat_messages: int
    row_writes_per_order: float
    row_writes_per_document: float
    """Documents are orders, shipments and invoices."""
    seconds: float
    orders_per_second: float
    latency_ms: dict[str, float]
    example: str | None
    """An order whose story is worth reading."""
    details: dict[str, Any] = field(default_factory=dict)


def read_result(  # noqa: PLR0913 - what ran, and what came of it, all named
    fleet: Fleet,
    books: Books,
    run: Run,
    *,
    seconds: float,
    settled: bool,
    struck: Mapping[str, int],
) -> Result:
    """Audit the partners' books and read what it cost; `struck` is what fell upon our own side."""
    found = books.read("books")
    audited = audit(found, fleet.policy)
    proof = ledger.prove(fleet.database)
    published = run.published()
    orders = max(1, audited.orders)
    wake_ups = sum(published.get(task, 0) for task in WAKE_UPS)
    cases = _open_cases(fleet)
    with_cases = {case.order for case in cases}
    as_they_must = (
        with_cases - {None} == audited.for_people
        and sum(case.order is None for case in cases) == audited.files_for_people
    )
    writes = run.row_writes()
    return Result(
        ok=audited.ok and settled and proof.ok and as_they_must,
        orders=audited.orders,
        shipments=audited.shipments,
        invoices=audited.invoices,
        confirmed=audited.confirmed,
        lost=len(audited.lost),
        duplicated=len(audited.duplicated) + len(audited.unexpected),
        mismatched=len(audited.mismatched),
        open_cases=len(cases),
        orders_with_cases=len(with_cases - {None}),
        orders_for_people=len(audited.for_people),
        files_for_people=audited.files_for_people,
        settled=settled,
        ledger_findings=len(proof.findings),
        faults=count_faults(found) | {f"storm {kind}": count for kind, count in struck.items()},
        calls_per_order={name: round(book["calls"] / orders, 3) for name, book in found.items()},
        celery_messages_per_order=round(wake_ups / orders, 3),
        beat_messages=sum(published.values()) - wake_ups,
        row_writes_per_order=round(writes / orders, 1),
        row_writes_per_document=round(
            writes / max(1, audited.orders + audited.shipments + audited.invoices), 1
        ),
        seconds=round(seconds, 2),
        orders_per_second=round(orders / seconds, 1),
        latency_ms=_latency(audited),
        example=_example(fleet),
        details=_details(audited, proof, found) | {"published": published, "cases": cases},
    )


def _latency(audited: Audit) -> dict[str, float]:
    times = sorted(float(seconds) * 1000 for seconds in audited.latencies)
    if len(times) < 2:
        return {"p50": round(sum(times)), "p99": round(sum(times))}
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": round(cuts[49]), "p99": round(cuts[98])}


def _details(
    audited: Audit, proof: ledger.Ledger, books: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "lost": audited.lost[:SHOWN],
        "duplicated": (*audited.duplicated, *audited.unexpected)[:SHOWN],
        "mismatched": audited.mismatched[:SHOWN],
        "for_people": audited.for_people,
        "calls": {name: book["calls_by_operation"] for name, book in books.items()},
        "ledger": proof,
    }


def _open_cases(fleet: Fleet) -> list[OpenCase]:
    query = sa.text(
        "SELECT c.id, o.partner || ' ' || o.number AS number, c.code || ': ' || c.error AS told"
        " FROM exception_case c LEFT JOIN sales_order o ON o.correlation_id = c.correlation_id"
        " WHERE c.state = 'open' ORDER BY c.id"
    )
    with fleet.session() as session:
        return [
            OpenCase(id=row.id, order=row.number, told=row.told) for row in session.execute(query)
        ]


def _example(fleet: Fleet) -> str | None:
    """Choose the order that met the most trouble."""
    query = sa.text(
        "SELECT o.number FROM sales_order o JOIN delivery d"
        " ON d.correlation_id = o.correlation_id JOIN attempt a ON a.delivery_ids @> ARRAY[d.id]"
        " GROUP BY o.id, o.number ORDER BY count(*) DESC, o.id LIMIT 1"
    )
    with fleet.session() as session:
        number: str | None = session.execute(query).scalar_one_or_none()
    return number


def print_result(result: Result) -> None:
    """Print the result for people."""
    console.print("\n[bold]Faults injected[/bold]")
    for kind, count in result.faults.items():
        console.print(f"  {kind:<36} {count:>4}")
    if not result.faults:
        console.print("  none")
    console.print("\n[bold]Audit of the partners' books[/bold]")
    table = Table(box=None, pad_edge=False, padding=(0, 2), show_header=False)
    for name, value, note in _rows(result):
        table.add_row(f"  {name}", str(value), f"[dim]{note}[/dim]")
    console.print(table)
    for name in ("lost", "duplicated", "mismatched"):
        for one in result.details[name]:
            console.print(f"  [red]{name}[/red] {escape(str(one))}", soft_wrap=True)
    _print_cases(result)
    for finding in result.details["ledger"].findings:
        console.print(f"  [red]ledger[/red] {finding}", soft_wrap=True)
    verdict = "[bold green]ok: true[/bold green]" if result.ok else "[bold red]ok: false[/bold red]"
    console.print(f"\n{verdict}")


def _print_cases(result: Result) -> None:
    """Print every open case, red where no person should have one, and every order without one."""
    cases: list[OpenCase] = result.details["cases"]
    for_people: frozenset[str] = result.details["for_people"]
    stray = sum(case.order is None for case in cases)
    for case in cases:
        known = case.order in for_people
        if case.order is None:
            known = stray == result.files_for_people
        colour = "yellow" if known else "red"
        about = f"order {case.order}" if case.order else "no order"
        console.print(
            f"  [{colour}]case {case.id}[/{colour}] about {about}: {escape(case.told)}",
            soft_wrap=True,
        )
    for order in sorted(for_people - {case.order for case in cases}):
        console.print(f"  [red]no case[/red] about order {order}, which is for people")


def _rows(result: Result) -> list[tuple[str, object, str]]:
    calls = ", ".join(f"{name} {count}" for name, count in result.calls_per_order.items())
    latency = f"p50 {result.latency_ms['p50']}, p99 {result.latency_ms['p99']}"
    return [
        ("orders", result.orders, "placed in all stores"),
        ("shipments", result.shipments, "each once at the store and in the ERP"),
        ("invoices", result.invoices, "each once at the store"),
        ("confirmed", result.confirmed, "orders that agree in every book"),
        ("lost", result.lost, ""),
        ("duplicated", result.duplicated, ""),
        ("mismatched", result.mismatched, "lines, amounts, addresses, states"),
        ("open cases", result.open_cases, "for people; an order may have several"),
        ("orders with cases", result.orders_with_cases, "must be the orders for people"),
        ("orders for people", result.orders_for_people, "by the books: a change came too late"),
        ("files for people", result.files_for_people, "damaged; each has a case about no order"),
        ("settled", result.settled, "came to rest in time"),
        ("ledger findings", result.ledger_findings, ""),
        ("seconds", result.seconds, f"{result.orders_per_second} orders a second, with the tail"),
        ("latency ms", latency, "placed → accepted by ERP and warehouses"),
        ("calls per order", calls, ""),
        (
            "messages per order",
            result.celery_messages_per_order,
            f"+{result.beat_messages} by beat",
        ),
        (
            "row writes per order",
            result.row_writes_per_order,
            f"{result.row_writes_per_document} per order, shipment and invoice",
        ),
    ]
