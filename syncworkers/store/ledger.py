"""The ledger: promise 5 proved on the live database by anti-joins that can fail.

Each check selects rows that must not exist. They run in one REPEATABLE READ snapshot, so that work
going on meanwhile can neither hide nor fake a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One kind of row that must not exist; the query yields (id, what it is)."""

    name: str
    query: str


CHECKS = (
    Check(
        name="applied message without effect or reason",
        query="""
        SELECT m.id, m.partner || ' ' || m.topic FROM message m
         WHERE m.state = 'applied' AND m.reason IS NULL
           AND NOT EXISTS (SELECT 1 FROM entity_version v WHERE v.message_id = m.id)""",
    ),
    Check(
        name="applied version that owes nothing, without a reason",
        query="""
        SELECT m.id, m.partner || ' ' || m.topic FROM message m
         WHERE m.state = 'applied' AND m.reason IS NULL
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.causation_id = m.id)""",
    ),
    Check(
        name="superseded message without a reason",
        query="""
        SELECT id, partner || ' ' || topic FROM message
         WHERE state IN ('superseded', 'echo') AND reason IS NULL""",
    ),
    Check(
        name="rejected message without a case",
        query="""
        SELECT m.id, m.partner || ' ' || m.topic FROM message m
         WHERE m.state = 'rejected' AND NOT EXISTS
               (SELECT 1 FROM exception_case c WHERE c.about = 'message' AND c.about_id = m.id)""",
    ),
    Check(
        name="dead delivery without a case",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d
         WHERE d.state = 'dead' AND NOT EXISTS
               (SELECT 1 FROM exception_case c WHERE c.about = 'delivery' AND c.about_id = d.id)""",
    ),
    Check(
        name="confirmed delivery without a successful attempt",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d
         WHERE d.state = 'confirmed' AND NOT EXISTS
               (SELECT 1 FROM (SELECT unnest(a.delivery_ids) AS id FROM attempt a
                                WHERE a.verdict IN ('confirmed', 'adopted')) t
                 WHERE t.id = d.id)""",
    ),
    Check(
        name="confirmed create without a link",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d
         WHERE d.state = 'confirmed' AND d.operation LIKE '%.create' AND NOT EXISTS
               (SELECT 1 FROM link l WHERE l.kind = d.entity_kind AND l.entity_id = d.entity_id
                   AND l.partner = d.partner)""",
    ),
    Check(
        name="order part that no warehouse was owed",
        query="""
        SELECT p.id, p.reference FROM order_part p
         WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.entity_kind = 'part'
                              AND d.entity_id = p.id AND d.operation = 'part.create')""",
    ),
    Check(
        name="shipment that its store was not told of, and no case says why",
        query="""
        SELECT s.id, s.partner || ' ' || s.external_id FROM shipment s
          JOIN sales_order o ON o.id = s.order_id
         WHERE (EXISTS (SELECT 1 FROM shipment_line l WHERE l.shipment_id = s.id)
                OR jsonb_array_length(coalesce(s.packed, '[]')) = 0)
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.entity_kind = 'shipment'
                              AND d.entity_id = s.id AND d.operation = 'shipment.create'
                              AND d.partner = o.partner)
           AND NOT EXISTS (SELECT 1 FROM exception_case c
                            WHERE c.correlation_id = s.correlation_id)""",
    ),
    Check(
        name="order part that was packed whole, and not told whole",
        query="""
        SELECT p.id, p.reference FROM order_part p
         WHERE (SELECT sum((l->>'packed')::numeric) FROM jsonb_array_elements(p.lines) l)
             = (SELECT sum((g->>'quantity')::numeric)
                  FROM shipment s, jsonb_array_elements(s.packed) g WHERE s.part_id = p.id)
           AND (SELECT sum(units) FROM
                 (SELECT DISTINCT l->>'reference', (l->>'quantity')::int AS units
                    FROM jsonb_array_elements(p.lines) l) w)
             > (SELECT coalesce(sum(l.quantity), 0) FROM shipment_line l
                  JOIN shipment s ON s.id = l.shipment_id WHERE s.part_id = p.id)""",
    ),
    Check(
        name="invoice that its store was not told of",
        query="""
        SELECT i.id, i.number FROM invoice i
         WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.entity_kind = 'order'
                              AND d.entity_id = i.order_id AND d.operation = 'invoice.note'
                              AND d.idempotency_key LIKE '%:' || i.external_id)""",
    ),
    Check(
        name="more shipped than ordered",
        query="""
        SELECT o.id, 'order ' || o.number || ', line ' || l.order_line FROM shipment_line l
          JOIN shipment s ON s.id = l.shipment_id JOIN sales_order o ON o.id = s.order_id
          JOIN sales_order_line w ON w.order_id = o.id AND w.external_id = l.order_line
         WHERE o.cancelled_at IS NULL
         GROUP BY o.id, o.number, l.order_line, w.quantity HAVING sum(l.quantity) > w.quantity""",
    ),
    Check(
        name="delivery that waits for one which does not exist",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d, unnest(d.after) k
         WHERE d.state = 'open'
           AND NOT EXISTS (SELECT 1 FROM delivery a WHERE a.idempotency_key = k)""",
    ),
    Check(
        name="cancelled or superseded delivery without a reason",
        query="""
        SELECT id, partner || ' ' || operation FROM delivery
         WHERE state IN ('cancelled', 'superseded') AND reason IS NULL""",
    ),
    Check(
        name="open message without a line",
        query="""
        SELECT m.id, m.partner || ' ' || m.topic FROM message m
         WHERE m.state = 'open' AND NOT EXISTS
               (SELECT 1 FROM line l WHERE l.lane = m.lane AND l.key = m.line)""",
    ),
    Check(
        name="open delivery without a line",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d
         WHERE d.state = 'open' AND NOT EXISTS
               (SELECT 1 FROM line l WHERE l.lane = d.lane AND l.key = d.line)""",
    ),
    Check(
        name="line whose pending count is not its open rows",
        query="""
        SELECT l.key, 'lane ' || l.lane || ': pending ' || l.pending || ', open ' || o.n FROM line l
         CROSS JOIN LATERAL (
           SELECT (SELECT count(*) FROM message m
                    WHERE m.lane = l.lane AND m.line = l.key AND m.state = 'open')
                + (SELECT count(*) FROM delivery d
                    WHERE d.lane = l.lane AND d.line = l.key AND d.state = 'open') AS n) o
         WHERE l.pending <> o.n""",
    ),
    Check(
        name="line blocked by a case that is not open",
        query="""
        SELECT l.key, 'lane ' || l.lane || ', case ' || l.blocked_by FROM line l
         WHERE l.blocked_by IS NOT NULL AND NOT EXISTS
               (SELECT 1 FROM exception_case c WHERE c.id = l.blocked_by AND c.state = 'open')""",
    ),
    Check(
        name="parked row without a due time or a key",
        query="""
        SELECT id, 'message' FROM message
         WHERE state = 'parked' AND (due_at IS NULL OR waiting_for IS NULL)
        UNION ALL
        SELECT id, 'delivery' FROM delivery
         WHERE state = 'parked' AND (due_at IS NULL OR waiting_for IS NULL)""",
    ),
    Check(
        name="planned delivery of a partner that is not observed",
        query="""
        SELECT d.id, d.partner || ' ' || d.operation FROM delivery d
         WHERE d.state = 'parked' AND d.waiting_for LIKE 'live:%' AND NOT EXISTS
               (SELECT 1 FROM partner_state s WHERE s.partner = d.partner
                   AND s.mode = 'observe')""",
    ),
    Check(
        name="message without its body",
        query="""
        SELECT m.id, m.partner || ' ' || m.topic FROM message m
         WHERE NOT EXISTS (SELECT 1 FROM message_body b
                            WHERE b.message_id = m.id AND b.part = 'received')""",
    ),
)
EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Rows that must not exist: how many, and a few of them."""

    check: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The proof: how much there is by state (purged rows included), and what is wrong."""

    messages: Mapping[str, int]
    deliveries: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Say whether nothing was dropped."""
        return not self.findings


def prove(database: sa.Engine) -> Ledger:
    """Run every check in one snapshot of the live database."""
    with database.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")
        found = [_run(connection, check) for check in CHECKS]
        return Ledger(
            messages=_count(connection, "message"),
            deliveries=_count(connection, "delivery"),
            findings=tuple(finding for finding in found if finding is not None),
        )


def _run(connection: sa.Connection, check: Check) -> Finding | None:
    rows = connection.execute(sa.text(check.query)).all()
    if not rows:
        return None
    return Finding(
        check=check.name,
        rows=len(rows),
        examples=tuple(f"{row[0]} ({row[1]})" for row in rows[:EXAMPLES]),
    )


def _count(connection: sa.Connection, table: str) -> dict[str, int]:
    rows = connection.execute(
        sa.text(f"""
        SELECT state, sum(n)::bigint FROM (
          SELECT state, count(*) AS n FROM {table} GROUP BY state
          UNION ALL SELECT state, rows FROM purge_total WHERE about = :table) t
         GROUP BY state ORDER BY state"""),  # noqa: S608 - the table name is ours
        {"table": table},
    )
    return {row[0]: row[1] for row in rows}
