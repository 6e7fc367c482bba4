"""The outbox: every effect owed to a partner, and each try at it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store import partner_state, recovery
from syncworkers.store.base import Base, Work, insert_rows, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

POINTLESS = "what it waited for was called off or refused"
"""Why a delivery was dropped; it comes back when a person has that tried again."""
DELIVERY_STATES = ("open", "parked", "confirmed", "superseded", "cancelled", "dead")


class Delivery(Work, Base):
    """One effect owed: partner, operation, entity. `body` is what to deliver, in canonical form."""

    __tablename__ = "delivery"

    partner: Mapped[str]
    operation: Mapped[str]
    entity_kind: Mapped[str]
    entity_id: Mapped[int]
    entity_version: Mapped[int] = mapped_column(sa.Integer)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    """Ours, permanent: (partner, operation, entity, cause)."""
    generation: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    """Raised only after a look-up has shown that the former effect is not there."""
    absences: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    reason: Mapped[str | None]
    after: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    """Idempotency keys of deliveries that must be confirmed before this one goes."""
    not_before: Mapped[dt.datetime | None]
    """It goes no sooner, whatever else allows it."""
    body: Mapped[dict[str, Any]]
    correlation_id: Mapped[uuid.UUID]
    causation_id: Mapped[int]
    """The message that caused it."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    finished_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.Index("delivery_open", "lane", "line", "id", postgresql_where=sa.text("state = 'open'")),
        sa.Index("delivery_parked", "due_at", postgresql_where=sa.text("state = 'parked'")),
        sa.Index("delivery_waiting", "waiting_for", postgresql_where=sa.text("state = 'parked'")),
        sa.Index("delivery_entity", "entity_kind", "entity_id"),
        sa.Index(
            "delivery_after",
            "after",
            postgresql_using="gin",
            postgresql_where=sa.text("state = 'open' AND after <> '{}'"),
        ),
        sa.Index("delivery_correlation_id", "correlation_id"),
        one_of("state", DELIVERY_STATES),
    )


class Attempt(Base):
    """One call to a partner, a try or a look-up, and what came back for some deliveries.

    Deliveries that one call answered alike share a row, so that a batch costs one write. The texts
    are kept where they are evidence (anything but confirmed), the hashes always.
    """

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    delivery_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    action: Mapped[str]
    verdict: Mapped[str]
    call: Mapped[str]
    """Names the call; the partner saw it as the correlation id."""
    status: Mapped[int | None] = mapped_column(sa.SmallInteger)
    duration_ms: Mapped[int] = mapped_column(sa.Integer)
    error: Mapped[str | None]
    sent_hashes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    """One per delivery, in their order."""
    sent: Mapped[str | None]
    """Of the first delivery; each of them can be written again from its body."""
    answer: Mapped[str | None]
    worker: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.Index("attempt_delivery_ids", "delivery_ids", postgresql_using="gin"),
        one_of("action", ("push", "find")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """An effect to owe from now on."""

    lane: int
    line: int
    partner: str
    operation: str
    entity_kind: str
    entity_id: int
    entity_version: int
    cause: str
    after: tuple[str, ...] = ()
    not_before: dt.datetime | None = None
    body: dict[str, Any]
    correlation_id: uuid.UUID
    causation_id: int

    @property
    def idempotency_key(self) -> str:
        """Ours, permanent."""
        entity = f"{self.entity_kind}/{self.entity_id}"
        return idempotency_key(self.partner, self.operation, entity, self.cause)


def idempotency_key(partner: str, operation: str, entity: str, cause: str) -> str:
    """Name an effect for ever; `entity` is `<kind>/<our id>`."""
    return f"{partner}:{operation}:{entity}:{cause}"


def add(session: Session, deliveries: Sequence[NewDelivery]) -> None:
    """Owe these effects; the caller has enqueued their lines, so ids follow the lines' order.

    While a recovery lasts they begin as unknown: their effect may be there from a lost time. So do
    those for a partner that is observed or was until lately: others may have made it.
    """
    if not deliveries:
        return
    unknown_since = recovery.mistrusted_since(session)
    watched = partner_state.mistrusted(session, {new.partner for new in deliveries})
    insert_rows(
        session,
        Delivery,
        [
            {
                "lane": new.lane,
                "line": new.line,
                "state": "open",
                "partner": new.partner,
                "operation": new.operation,
                "entity_kind": new.entity_kind,
                "entity_id": new.entity_id,
                "entity_version": new.entity_version,
                "idempotency_key": new.idempotency_key,
                "after": list(new.after),
                "not_before": new.not_before,
                "unknown_since": unknown_since or watched.get(new.partner),
                "body": new.body,
                "correlation_id": new.correlation_id,
                "causation_id": new.causation_id,
            }
            for new in deliveries
        ],
    )


def owed_entities(
    session: Session, kind: str, operation: str, entities: Collection[int]
) -> set[int]:
    """Return which entities have this effect owed or made (not called off)."""
    if not entities:
        return set()
    rows = session.execute(
        sa.select(Delivery.entity_id).where(
            Delivery.entity_kind == kind,
            Delivery.entity_id.in_(entities),
            Delivery.operation == operation,
            Delivery.state.not_in(["cancelled", "superseded"]),
        )
    )
    return {row.entity_id for row in rows}


def states(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Return how the deliveries of these idempotency keys stand; what is missing is left out."""
    if not keys:
        return {}
    rows = session.execute(
        sa.select(Delivery.idempotency_key, Delivery.state).where(
            Delivery.idempotency_key.in_(keys)
        )
    )
    return {row.idempotency_key: row.state for row in rows}


def states_of(
    session: Session, kind: str, operation: str, entities: Collection[int]
) -> dict[int, str]:
    """Return by entity how the newest delivery of an operation stands."""
    if not entities:
        return {}
    rows = session.execute(
        sa.select(Delivery.entity_id, Delivery.state)
        .where(
            Delivery.entity_kind == kind,
            Delivery.entity_id.in_(entities),
            Delivery.operation == operation,
        )
        .order_by(Delivery.id)
    )
    return {row.entity_id: row.state for row in rows}


def bodies_of(
    session: Session, kind: str, operation: str, entities: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return by entity what the newest delivery of an operation carries."""
    if not entities:
        return {}
    rows = session.execute(
        sa.select(Delivery.entity_id, Delivery.body)
        .where(
            Delivery.entity_kind == kind,
            Delivery.entity_id.in_(entities),
            Delivery.operation == operation,
        )
        .order_by(Delivery.id)
    )
    return {row.entity_id: row.body for row in rows}


def open_lines(
    session: Session, kind: str, operation: str, entities: Collection[int]
) -> list[tuple[int, int]]:
    """Return (lane, line) of the open deliveries of an operation on these entities."""
    if not entities:
        return []
    rows = session.execute(
        sa.select(Delivery.lane, Delivery.line).where(
            Delivery.entity_kind == kind,
            Delivery.entity_id.in_(entities),
            Delivery.operation == operation,
            Delivery.state == "open",
        )
    )
    return sorted({(row.lane, row.line) for row in rows})


# The states are literals, so that the partial index is used.
_DEPENDENTS = sa.text("""
SELECT DISTINCT d.lane, d.line FROM delivery d
 WHERE d.state = 'open' AND d.after <> '{}' AND d.after && CAST(:keys AS text[])
 ORDER BY d.lane, d.line
""")


def dependents(session: Session, keys: Collection[str]) -> list[tuple[int, int]]:
    """Return (lane, line) of open deliveries that wait for one of these."""
    if not keys:
        return []
    rows = session.execute(_DEPENDENTS, {"keys": list(keys)})
    return [(row.lane, row.line) for row in rows]


_REFUSE = sa.text("""
UPDATE delivery SET state = 'dead', reason = 'refused by the partner after it was sent'
 WHERE id = (SELECT d.id FROM order_part p
               JOIN delivery d ON d.entity_kind = 'part' AND d.entity_id = p.id
              WHERE p.reference = :reference AND d.partner = :partner
                AND d.operation = :operation AND d.state = 'confirmed'
              ORDER BY d.id DESC LIMIT 1 FOR UPDATE OF d)
RETURNING id, lane, line, entity_kind, correlation_id
""")


def refuse(session: Session, partner: str, operation: str, reference: str) -> Any | None:
    """Take back that an order part's effect was confirmed; the caller opens its case.

    Returns id, lane, line, kind and correlation id of the delivery; None where none is confirmed.
    """
    values = {"partner": partner, "operation": operation, "reference": reference}
    return session.execute(_REFUSE, values).first()


def dropped_with(session: Session, refused: Delivery) -> list[Delivery]:
    """Lock deliveries that were dropped because this one of the same order was refused."""
    return list(
        session.scalars(
            sa.select(Delivery)
            .where(
                Delivery.correlation_id == refused.correlation_id,
                Delivery.after.contains([refused.idempotency_key]),
                Delivery.state == "cancelled",
                Delivery.reason == POINTLESS,
            )
            .order_by(Delivery.id)
            .with_for_update()
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChange:
    """What one batch made of a delivery; `state` `open` leaves it in its line."""

    id: int
    state: str
    reason: str | None = None
    unknown: bool = False
    absences: int = 0
    generation: int = 0


_CHANGE = sa.text("""
UPDATE delivery d
   SET state = v.state, reason = v.reason, absences = v.absences, generation = v.generation,
       unknown_since = CASE WHEN v.unknown THEN coalesce(d.unknown_since, now()) END,
       finished_at = CASE WHEN v.state <> 'open' THEN now() END
  FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
              CAST(:unknowns AS bool[]), CAST(:absences AS int[]), CAST(:generations AS int[]))
       v(id, state, reason, unknown, absences, generation)
 WHERE d.id = v.id AND d.state = 'open'
""")


def change(session: Session, changes: Sequence[DeliveryChange]) -> None:
    """Record what became of deliveries."""
    if changes:
        session.execute(
            _CHANGE,
            {
                "ids": [one.id for one in changes],
                "states": [one.state for one in changes],
                "reasons": [one.reason for one in changes],
                "unknowns": [one.unknown for one in changes],
                "absences": [one.absences for one in changes],
                "generations": [one.generation for one in changes],
            },
        )


def add_attempts(session: Session, attempts: Sequence[dict[str, Any]]) -> None:
    """Write tries down, keyed as the columns of `attempt`."""
    insert_rows(session, Attempt, attempts)
