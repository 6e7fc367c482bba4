"""Plans: what we would have told a partner that is observed, with the orders it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.store.partner_state import rests_until

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A delivery that rests, or waits to; `row` as claims read it, and whose order it is.

    `order` is None for what belongs to no single order, as a customer's account.
    """

    row: Mapping[str, Any]
    order: int | None
    number: str
    store: str


# A create that an imported link has confirmed was part of the plan as well.
_PLANNED = sa.text("""
SELECT d.*, o.id AS the_order, o.number AS order_number, o.partner AS store FROM delivery d
  LEFT JOIN order_part p ON d.entity_kind = 'part' AND p.id = d.entity_id
  LEFT JOIN shipment s ON d.entity_kind = 'shipment' AND s.id = d.entity_id
  LEFT JOIN sales_order o ON o.id = CASE d.entity_kind WHEN 'order' THEN d.entity_id
                                         WHEN 'part' THEN p.order_id
                                         WHEN 'shipment' THEN s.order_id END
 WHERE d.partner = :partner AND d.created_at >= :since AND d.id > :after
   AND (d.state IN ('open', 'dead') OR d.state = 'parked' AND d.waiting_for = :key
        OR d.state = 'confirmed' AND EXISTS
           (SELECT 1 FROM link l WHERE l.kind = d.entity_kind AND l.entity_id = d.entity_id
               AND l.partner = d.partner AND l.imported))
 ORDER BY d.id LIMIT :limit
""")
_EXTRA = frozenset({"the_order", "order_number", "store"})


def planned(
    session: Session, partner: str, since: dt.datetime, *, after: int, limit: int
) -> list[Planned]:
    """Read what is planned since then, in the order of ids, from the one behind `after`."""
    values = {
        "partner": partner,
        "since": since,
        "key": rests_until(partner),
        "after": after,
        "limit": limit,
    }
    return [
        Planned(
            row={name: value for name, value in row.items() if name not in _EXTRA},
            order=row["the_order"],
            number=(row["order_number"] or "").removeprefix("#"),
            store=row["store"] or "",
        )
        for row in session.execute(_PLANNED, values).mappings()
    ]


def ours(session: Session, partner: str, references: Collection[str]) -> set[str]:
    """Return which of these numbers or references we gave to something owed to a partner."""
    rows = session.execute(
        sa.text("""
        SELECT o.erp_number AS name FROM sales_order o
         WHERE o.erp = :partner AND o.erp_number = ANY (:names)
        UNION ALL
        SELECT p.reference FROM order_part p
         WHERE p.partner = :partner AND p.reference = ANY (:names)"""),
        {"partner": partner, "names": list(references)},
    )
    return {row.name for row in rows}


def specimen(
    session: Session, partner: str, operation: str, number: str | None
) -> dict[str, Any] | None:
    """Return what the newest delivery of an operation carries, of one order if it is named."""
    body = session.execute(
        sa.text("""
        SELECT d.body FROM delivery d
         WHERE d.partner = :partner AND d.operation = :operation
           AND (CAST(:number AS text) IS NULL OR d.correlation_id IN
                (SELECT correlation_id FROM sales_order WHERE number IN (:number, '#' || :number)))
         ORDER BY d.id DESC LIMIT 1"""),
        {"partner": partner, "operation": operation, "number": number},
    ).scalar()
    return dict(body) if body is not None else None


def oldest(session: Session, partner: str) -> dt.datetime | None:
    """Return when the oldest delivery that rests was planned; None if none does."""
    return session.execute(
        sa.text("""
        SELECT min(created_at) FROM delivery
         WHERE partner = :partner AND state IN ('open', 'parked')"""),
        {"partner": partner},
    ).scalar()
