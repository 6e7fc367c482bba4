"""Read models for `trace`: the whole story of one order, from every table that speaks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

_FIND = sa.text("""
SELECT * FROM sales_order
 WHERE number = :name OR erp_number = :name OR external_id = :name
    OR correlation_id::text = :name
 ORDER BY id LIMIT 20
""")
_MESSAGES = sa.text("""
SELECT id, partner, source, topic, kind, entity, state, reason, duplicates, waiting_for, due_at,
       retries, contract, correlation_id, received_at, finished_at
  FROM message WHERE correlation_id = :correlation ORDER BY id
""")
_VERSIONS = sa.text("""
SELECT version, message_id, mapping, rules, diff, at FROM entity_version
 WHERE entity_kind = 'order' AND entity_id = :id ORDER BY version
""")
_DELIVERIES = sa.text("""
SELECT d.id, d.partner, d.operation, d.state, d.reason, d.entity_version, d.idempotency_key,
       d.generation, d.unknown_since, d.causation_id, d.created_at, d.finished_at,
       l.due_at AS line_due_at, l.attempts AS line_attempts, l.blocked_by, l.owner,
       n.paused_until > now() AS paused, n.paused_reason
  FROM delivery d LEFT JOIN line l ON l.lane = d.lane AND l.key = d.line
  LEFT JOIN lane n ON n.id = d.lane
 WHERE d.entity_kind = 'order' AND d.entity_id = :id ORDER BY d.id
""")
_ATTEMPTS = sa.text("""
SELECT d.id AS delivery_id, a.action, a.verdict, a.status, a.duration_ms, a.error, a.call, a.worker,
       a.at, cardinality(a.delivery_ids) AS together
  FROM delivery d JOIN attempt a ON a.delivery_ids @> ARRAY[d.id]
 WHERE d.entity_kind = 'order' AND d.entity_id = :id ORDER BY a.id
""")
_LINKS = sa.text("""
SELECT partner, external_id, external_version, at FROM link
 WHERE kind = 'order' AND entity_id = :id ORDER BY at
""")
_CASES = sa.text("""
SELECT id, state, about, about_id, partner, code, error, violations, opened_at, resolved_at,
       resolved_by, resolution
  FROM exception_case WHERE correlation_id = :correlation ORDER BY id
""")
_EXPECTATIONS = sa.text("""
SELECT name, partner, state, due_at, met_at FROM expectation
 WHERE entity_kind = 'order' AND entity_id = :id ORDER BY id
""")
_PENDING = sa.text("""
SELECT id, partner, source, topic, kind, entity, state, reason, duplicates, waiting_for, due_at,
       retries, contract, correlation_id, received_at, finished_at
  FROM message WHERE entity = :name OR external_id = :name
    OR correlation_id IN (SELECT correlation_id FROM exception_case WHERE entity = :name)
 ORDER BY id LIMIT 100
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the database knows of one order, row by row. `order` is None before acceptance."""

    order: dict[str, Any] | None
    messages: Sequence[dict[str, Any]]
    versions: Sequence[dict[str, Any]] = ()
    deliveries: Sequence[dict[str, Any]] = ()
    attempts: Sequence[dict[str, Any]] = ()
    links: Sequence[dict[str, Any]] = ()
    cases: Sequence[dict[str, Any]] = ()
    expectations: Sequence[dict[str, Any]] = ()


def find(session: Session, name: str) -> list[Facts]:
    """Find what people mean by a name; several shops may have the same number.

    A name is an order number, a partner's id, an ERP number or a correlation id.
    """
    orders = _rows(session, _FIND, name=name)
    if orders:
        return [_facts(session, order) for order in orders]
    messages = _rows(session, _PENDING, name=name)
    by_correlation: dict[str, list[dict[str, Any]]] = {}
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


def _facts(session: Session, order: dict[str, Any]) -> Facts:
    key, correlation = order["id"], order["correlation_id"]
    return Facts(
        order=order,
        messages=_rows(session, _MESSAGES, correlation=correlation),
        versions=_rows(session, _VERSIONS, id=key),
        deliveries=_rows(session, _DELIVERIES, id=key),
        attempts=_rows(session, _ATTEMPTS, id=key),
        links=_rows(session, _LINKS, id=key),
        cases=_rows(session, _CASES, correlation=correlation),
        expectations=_rows(session, _EXPECTATIONS, id=key),
    )


def _rows(session: Session, statement: sa.TextClause, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(statement, values).mappings()]
