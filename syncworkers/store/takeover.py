"""Taking over: what an import of links asks of the tables, and what it changes beside the links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.store.partner_state import rests_until

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """An order by the name that people give it."""

    id: int
    store: str
    number: str
    external_id: str
    erp: str | None


def orders_named(session: Session, names: Collection[str]) -> list[FoundOrder]:
    """Return the orders with these numbers, or ids at their store."""
    rows = session.execute(
        sa.text("""
        SELECT id, partner, number, external_id, erp FROM sales_order
         WHERE number = ANY (:names) OR external_id = ANY (:names) ORDER BY id"""),
        {"names": sorted({*names, *(f"#{name}" for name in names)})},
    )
    return [
        FoundOrder(
            id=row.id,
            store=row.partner,
            number=row.number.removeprefix("#"),
            external_id=row.external_id,
            erp=row.erp,
        )
        for row in rows
    ]


def parts_of(session: Session, orders: Collection[int]) -> dict[tuple[int, str, int], int]:
    """Return the parts of these orders by (order, warehouse, number)."""
    rows = session.execute(
        sa.text("SELECT id, order_id, partner, number FROM order_part WHERE order_id = ANY (:ids)"),
        {"ids": list(orders)},
    )
    return {(row.order_id, row.partner, row.number): row.id for row in rows}


def shipments_of(session: Session, orders: Collection[int]) -> dict[tuple[int, str], list[int]]:
    """Return the shipments of these orders by (order, tracking number or warehouse's id)."""
    rows = session.execute(
        sa.text("""
        SELECT id, order_id, external_id, tracking_number FROM shipment
         WHERE order_id = ANY (:ids) ORDER BY id"""),
        {"ids": list(orders)},
    )
    found: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        for name in {row.external_id, row.tracking_number} - {"", None}:
            found.setdefault((row.order_id, name), []).append(row.id)
    return found


def rows_of(session: Session, entities: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return what a file of links says of (kind, our id), to be imported again."""
    kinds, ids = zip(*entities, strict=True) if entities else ((), ())
    rows = session.execute(
        sa.text("""
        SELECT v.kind, v.entity_id, o.number, o.partner AS store, p.number AS part,
               s.external_id AS shipment
          FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS bigint[])) v(kind, entity_id)
          LEFT JOIN order_part p ON v.kind = 'part' AND p.id = v.entity_id
          LEFT JOIN shipment s ON v.kind = 'shipment' AND s.id = v.entity_id
          JOIN sales_order o ON o.id = CASE v.kind WHEN 'order' THEN v.entity_id
                               WHEN 'part' THEN p.order_id WHEN 'shipment' THEN s.order_id END
         ORDER BY o.number, v.kind, v.entity_id"""),
        {"kinds": list(kinds), "ids": list(ids)},
    )
    return [
        {
            "kind": row.kind,
            "entity_id": row.entity_id,
            "order": row.number.removeprefix("#"),
            "store": row.store,
            "part": row.part or "",
            "shipment": row.shipment or "",
        }
        for row in rows
    ]


def links_of(
    session: Session, entities: Sequence[tuple[str, int, str]]
) -> dict[tuple[str, int, str], str]:
    """Return the partner's ids that (kind, our id, partner) are linked to."""
    kinds, ids, partners = zip(*entities, strict=True) if entities else ((), (), ())
    rows = session.execute(
        sa.text("""
        SELECT l.kind, l.entity_id, l.partner, l.external_id FROM link l
          JOIN unnest(CAST(:kinds AS text[]), CAST(:ids AS bigint[]), CAST(:partners AS text[]))
               v(kind, entity_id, partner) USING (kind, entity_id, partner)"""),
        {"kinds": list(kinds), "ids": list(ids), "partners": list(partners)},
    )
    return {(row.kind, row.entity_id, row.partner): row.external_id for row in rows}


def creates_of(
    session: Session, entities: Sequence[tuple[str, int, str]]
) -> dict[tuple[str, int, str], str]:
    """Return how the newest create of (kind, our id, partner) stands."""
    kinds, ids, partners = zip(*entities, strict=True) if entities else ((), (), ())
    rows = session.execute(
        sa.text("""
        SELECT d.entity_kind, d.entity_id, d.partner, d.state FROM delivery d
          JOIN unnest(CAST(:kinds AS text[]), CAST(:ids AS bigint[]), CAST(:partners AS text[]))
               v(kind, entity_id, partner)
            ON d.entity_kind = v.kind AND d.entity_id = v.entity_id AND d.partner = v.partner
         WHERE d.operation IN ('order.create', 'part.create', 'shipment.create') ORDER BY d.id"""),
        {"kinds": list(kinds), "ids": list(ids), "partners": list(partners)},
    )
    return {(row.entity_kind, row.entity_id, row.partner): row.state for row in rows}


_WAKE = sa.text("""
WITH d AS MATERIALIZED (
  SELECT id, lane, line FROM delivery
   WHERE partner = :partner AND state = 'parked' AND waiting_for = :key
     AND operation IN ('order.create', 'part.create', 'shipment.create')
     AND entity_kind = :kind AND entity_id = ANY (:ids)
   ORDER BY id FOR UPDATE),
announced AS (
  INSERT INTO line (lane, key, pending)
  SELECT lane, line, count(*) FROM d GROUP BY lane, line ORDER BY lane, line
  ON CONFLICT (lane, key) DO UPDATE SET pending = line.pending + excluded.pending,
         due_at = least(line.due_at, now()))
UPDATE delivery SET state = 'open', waiting_for = NULL, due_at = NULL
  FROM d WHERE delivery.id = d.id
""")


def wake_creates(session: Session, partner: str, kind: str, ids: Collection[int]) -> None:
    """Bring back the resting creates of these entities: their links confirm them."""
    values = {"partner": partner, "key": rests_until(partner), "kind": kind, "ids": list(ids)}
    session.execute(_WAKE, values)


# What was planned already names the order as we would have numbered it.
_RENUMBER = sa.text("""
UPDATE delivery d SET body = d.body || jsonb_build_object('erp_number', v.number)
  FROM unnest(CAST(:orders AS bigint[]), CAST(:numbers AS text[])) v(order_id, number), shipment s
 WHERE s.order_id = v.order_id AND d.entity_kind = 'shipment' AND d.entity_id = s.id
   AND d.partner = :erp AND d.operation = 'shipment.create'
   AND d.state IN ('open', 'parked', 'dead')
""")


def renumber_shipments(session: Session, erp: str, numbers: Sequence[tuple[int, str]]) -> None:
    """Have untold shipments name their orders as the ERP does; given as (our id, number there)."""
    orders, there = zip(*numbers, strict=True)
    session.execute(_RENUMBER, {"erp": erp, "orders": list(orders), "numbers": list(there)})
