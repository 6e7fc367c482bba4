"""Read models for `trace`: the whole story of one order, from every table that speaks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

Row = dict[str, Any]

_FIND = sa.text("""
SELECT * FROM sales_order
 WHERE number = :name OR erp_number = :name OR external_id = :name
    OR correlation_id::text = :name
    OR id IN (SELECT order_id FROM order_part WHERE reference = :name)
    OR id IN (SELECT order_id FROM shipment WHERE tracking_number = :name)
    OR id IN (SELECT order_id FROM invoice WHERE number = :name)
 ORDER BY id LIMIT 20
""")
_MESSAGE = """
SELECT id, partner, source, topic, kind, entity, state, reason, duplicates, waiting_for, due_at,
       retries, contract, correlation_id, received_at, finished_at
  FROM message
"""
_MESSAGES = sa.text(f"{_MESSAGE} WHERE correlation_id = :correlation ORDER BY id")
_PENDING = sa.text(f"""{_MESSAGE} WHERE entity = :name OR external_id = :name
    OR correlation_id IN (SELECT correlation_id FROM exception_case WHERE entity = :name)
 ORDER BY id LIMIT 100
""")  # noqa: S608 - ours, whole
_VERSIONS = sa.text("""
SELECT version, message_id, mapping, rules, diff, at FROM entity_version
 WHERE entity_kind = 'order' AND entity_id = :id ORDER BY version
""")
# A delivery that waits for others names the ones that are not confirmed yet.
_DELIVERIES = sa.text("""
SELECT d.id, d.partner, d.operation, d.state, d.reason, d.entity_kind, d.entity_id,
       d.entity_version, d.idempotency_key, d.generation, d.unknown_since, d.causation_id,
       d.created_at, d.finished_at,
       l.due_at AS line_due_at, l.attempts AS line_attempts, l.blocked_by, l.owner,
       n.paused_until > now() AS paused, n.paused_reason,
       ARRAY(SELECT a.operation || ' at ' || a.partner FROM delivery a
              WHERE a.idempotency_key = ANY (d.after) AND a.state <> 'confirmed'
              ORDER BY a.id) AS waits_for
  FROM delivery d LEFT JOIN line l ON l.lane = d.lane AND l.key = d.line
  LEFT JOIN lane n ON n.id = d.lane
 WHERE d.correlation_id = :correlation ORDER BY d.id
""")
_ATTEMPTS = sa.text("""
SELECT d.id AS delivery_id, d.operation, d.partner, a.action, a.verdict, a.status, a.duration_ms,
       a.error, a.call, a.worker, a.at, cardinality(a.delivery_ids) AS together
  FROM delivery d JOIN attempt a ON a.delivery_ids @> ARRAY[d.id]
 WHERE d.correlation_id = :correlation ORDER BY a.id
""")
_PARTS = sa.text("SELECT * FROM order_part WHERE order_id = :id ORDER BY number")
_SHIPMENTS = sa.text("""
SELECT s.*, coalesce((SELECT sum(quantity) FROM shipment_line l WHERE l.shipment_id = s.id), 0)
       AS units
  FROM shipment s WHERE s.order_id = :id ORDER BY s.id
""")
_MILESTONES = sa.text("""
SELECT m.shipment_id, m.milestone, m.code, m.location, m.occurred_at, m.received_at
  FROM shipment_milestone m JOIN shipment s ON s.id = m.shipment_id
 WHERE s.order_id = :id ORDER BY m.occurred_at, m.milestone
""")
_INVOICES = sa.text("SELECT * FROM invoice WHERE order_id = :id ORDER BY date, number")
_MATCHES = sa.text("""
SELECT m.* FROM invoice_match m JOIN invoice i ON i.id = m.invoice_id
 WHERE i.order_id = :id ORDER BY m.invoice_id, m.line, m.place
""")
_LINEAGE = sa.text("""
WITH RECURSIVE below AS (
  SELECT parent_kind, parent_id, child_kind, child_id, at FROM lineage
   WHERE parent_kind = 'order' AND parent_id = :id
  UNION
  SELECT l.parent_kind, l.parent_id, l.child_kind, l.child_id, l.at FROM lineage l
    JOIN below b ON l.parent_kind = b.child_kind AND l.parent_id = b.child_id)
SELECT * FROM below ORDER BY at, child_id
""")
_OF_ORDER = """
  JOIN (SELECT 'order' AS kind, CAST(:id AS bigint) AS id
        UNION ALL SELECT 'part', id FROM order_part WHERE order_id = :id
        UNION ALL SELECT 'shipment', id FROM shipment WHERE order_id = :id) e
"""
_LINKS = sa.text(f"""
SELECT k.kind, k.entity_id, k.partner, k.external_id, k.external_version, k.at FROM link k
{_OF_ORDER} ON k.kind = e.kind AND k.entity_id = e.id ORDER BY k.at
""")  # noqa: S608 - ours, whole
_EXPECTATIONS = sa.text(f"""
SELECT x.name, x.partner, x.state, x.due_at, x.met_at, x.entity_kind, x.entity_id
  FROM expectation x {_OF_ORDER} ON x.entity_kind = e.kind AND x.entity_id = e.id ORDER BY x.id
""")  # noqa: S608 - ours, whole
_CASES = sa.text("""
SELECT id, state, about, about_id, partner, entity_kind, code, error, violations, opened_at,
       resolved_at, resolved_by, resolution
  FROM exception_case WHERE correlation_id = :correlation ORDER BY id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the database knows of one order, row by row. `order` is None before acceptance."""

    order: Row | None
    messages: Sequence[Row]
    versions: Sequence[Row] = ()
    deliveries: Sequence[Row] = ()
    attempts: Sequence[Row] = ()
    parts: Sequence[Row] = ()
    shipments: Sequence[Row] = ()
    milestones: Sequence[Row] = ()
    invoices: Sequence[Row] = ()
    matches: Sequence[Row] = ()
    lineage: Sequence[Row] = ()
    links: Sequence[Row] = ()
    cases: Sequence[Row] = ()
    expectations: Sequence[Row] = ()


def find(session: Session, name: str) -> list[Facts]:
    """Find what people mean by a name; several shops may have the same number.

    A name is an order number, a partner's id, an ERP number, a part's reference, a tracking number,
    an invoice number or a correlation id.
    """
    orders = _rows(session, _FIND, name=name)
    if orders:
        return [_facts(session, order) for order in orders]
    messages = _rows(session, _PENDING, name=name)
    by_correlation: dict[str, list[Row]] = {}
    for message in messages:
        by_correlation.setdefault(str(message["correlation_id"]), []).append(message)
    return [
        Facts(
            order=None,
            messages=rows,
            cases=_rows(session, _CASES, correlation=rows[0]["correlation_id"]),
        )
        for rows in by_correlation.values()
    ]


def _facts(session: Session, order: Row) -> Facts:
    key, correlation = order["id"], order["correlation_id"]
    return Facts(
        order=order,
        messages=_rows(session, _MESSAGES, correlation=correlation),
        versions=_rows(session, _VERSIONS, id=key),
        deliveries=_rows(session, _DELIVERIES, correlation=correlation),
        attempts=_rows(session, _ATTEMPTS, correlation=correlation),
        parts=_rows(session, _PARTS, id=key),
        shipments=_rows(session, _SHIPMENTS, id=key),
        milestones=_rows(session, _MILESTONES, id=key),
        invoices=_rows(session, _INVOICES, id=key),
        matches=_rows(session, _MATCHES, id=key),
        lineage=_rows(session, _LINEAGE, id=key),
        links=_rows(session, _LINKS, id=key),
        cases=_rows(session, _CASES, correlation=correlation),
        expectations=_rows(session, _EXPECTATIONS, id=key),
    )


def _rows(session: Session, statement: sa.TextClause, **values: Any) -> list[Row]:
    return [dict(row) for row in session.execute(statement, values).mappings()]


_WAITING = sa.text("""
SELECT d.partner, p.gate, count(*) AS parts, min(d.created_at) AS oldest
  FROM delivery d JOIN order_part p ON p.id = d.entity_id
 WHERE d.state = 'open' AND d.after <> '{}' AND d.operation = 'part.create'
   AND EXISTS (SELECT 1 FROM delivery a
                WHERE a.idempotency_key = ANY (d.after) AND a.state <> 'confirmed')
 GROUP BY d.partner, p.gate ORDER BY d.partner, p.gate
""")


def waiting_at_gates(session: Session) -> list[Row]:
    """Count the order parts that wait for something before their warehouse gets them.

    One row per warehouse and gate: `partner`, `gate`, `parts`, `oldest` (a time).
    """
    return _rows(session, _WAITING)
