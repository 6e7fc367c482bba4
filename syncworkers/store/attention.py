"""What needs a person: exception cases, their groups, expectations, and who did what."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base, one_of
from syncworkers.store.partner_state import Mode, PartnerState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


class ExceptionCase(Base):
    """A failure for a person, written in the transaction that ended its row."""

    __tablename__ = "exception_case"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    state: Mapped[str] = mapped_column(server_default="open")
    about: Mapped[str]
    """The table of its row."""
    about_id: Mapped[int]
    partner: Mapped[str]
    entity_kind: Mapped[str]
    entity: Mapped[str]
    """What people call it: an order number, else the partner's id."""
    code: Mapped[str]
    error: Mapped[str]
    violations: Mapped[list[Any]]
    payload: Mapped[str | None]
    """What was received, or what was sent."""
    correlation_id: Mapped[uuid.UUID]
    group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("exception_group.id"))
    opened_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    announced_at: Mapped[dt.datetime | None]
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]

    __table_args__ = (
        sa.Index("exception_case_about", "about", "about_id"),
        sa.Index("exception_case_open", "id", postgresql_where=sa.text("state = 'open'")),
        sa.Index(
            "exception_case_entity", "entity", "code", postgresql_where=sa.text("state = 'open'")
        ),
        sa.Index(
            "exception_case_unannounced", "id", postgresql_where=sa.text("announced_at IS NULL")
        ),
        one_of("state", ("open", "retried", "resolved")),
        one_of("about", ("message", "delivery", "expectation", "poll")),
    )


class CaseGroup(Base):
    """Cases with one cause."""

    __tablename__ = "exception_group"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    """Over partner, code, operation and path; never over ids."""
    partner: Mapped[str]
    code: Mapped[str]
    title: Mapped[str]
    cases: Mapped[int] = mapped_column(sa.Integer)
    first_seen: Mapped[dt.datetime]
    last_seen: Mapped[dt.datetime]


class Expectation(Base):
    """What must follow, by when; written in the transaction of its cause, met by its effect."""

    __tablename__ = "expectation"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    name: Mapped[str]
    entity_kind: Mapped[str]
    entity_id: Mapped[int]
    partner: Mapped[str]
    """Who is expected to act."""
    state: Mapped[str] = mapped_column(server_default="open")
    due_at: Mapped[dt.datetime]
    met_at: Mapped[dt.datetime | None]
    correlation_id: Mapped[uuid.UUID]

    __table_args__ = (
        sa.UniqueConstraint("entity_kind", "entity_id", "name"),
        sa.Index("expectation_open", "due_at", postgresql_where=sa.text("state = 'open'")),
        one_of("state", ("open", "met", "overdue", "cancelled")),
    )


class Audit(Base):
    """Every act of a person."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    actor: Mapped[str]
    act: Mapped[str]
    about: Mapped[str]
    about_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A failure for a person, to be written with the row it is about."""

    about: str
    about_id: int
    partner: str
    entity_kind: str
    entity: str
    code: str
    error: str
    violations: tuple[dict[str, str], ...]
    payload: str | None
    correlation_id: uuid.UUID


LONGEST = 500
"""Characters of what a case is about: an index must be able to hold them, whoever named it."""


def open_cases(session: Session, cases: Sequence[NewCase]) -> list[int]:
    """Open cases; return their ids in the given order."""
    return [
        session.execute(
            insert(ExceptionCase)
            .values(
                about=case.about,
                about_id=case.about_id,
                partner=case.partner,
                entity_kind=case.entity_kind,
                entity=case.entity[:LONGEST],
                code=case.code,
                error=case.error,
                violations=list(case.violations),
                payload=case.payload,
                correlation_id=case.correlation_id,
            )
            .returning(ExceptionCase.id)
        ).scalar_one()
        for case in cases
    ]


def open_once(session: Session, case: NewCase) -> bool:
    """Open a case unless its partner has one of this code about this entity; say whether it was."""
    is_open = session.scalar(
        sa.select(ExceptionCase.id)
        .where(
            ExceptionCase.partner == case.partner,
            ExceptionCase.entity == case.entity,
            ExceptionCase.code == case.code,
            ExceptionCase.state == sa.literal_column("'open'"),
        )
        .limit(1)
    )
    if is_open is None:
        open_cases(session, [case])
    return is_open is None


def resolve_by_success(session: Session, about: str, ids: Collection[int]) -> None:
    """Close the cases of rows that went through after all."""
    if ids:
        session.execute(
            sa.update(ExceptionCase)
            .where(
                ExceptionCase.about == about,
                ExceptionCase.about_id.in_(ids),
                ExceptionCase.state != "resolved",
            )
            .values(
                state="resolved",
                resolved_at=sa.func.now(),
                resolved_by="syncworkers",
                resolution="the same work went through later",
            )
        )


def resolve_by_progress(
    session: Session, entity: str, code: str, *, partner: str | None = None
) -> None:
    """Close the cases of this code about something that has moved on by itself.

    What is called the same at another partner (a file, a number) is told apart by `partner`.
    """
    session.execute(
        sa.update(ExceptionCase)
        .where(
            sa.true() if partner is None else ExceptionCase.partner == partner,
            ExceptionCase.entity == entity,
            ExceptionCase.code == code,
            ExceptionCase.state == sa.literal_column("'open'"),
        )
        .values(
            state="resolved",
            resolved_at=sa.func.now(),
            resolved_by="syncworkers",
            resolution="it has moved on by itself",
        )
    )


def resolve_others(session: Session, partner: str, code: str, entities: Collection[str]) -> None:
    """Close the cases of this code at a partner, except those about what is still so."""
    still = (
        sa.select(ExceptionCase.entity)
        .distinct()
        .where(
            ExceptionCase.partner == partner,
            ExceptionCase.code == code,
            ExceptionCase.state == sa.literal_column("'open'"),
            ExceptionCase.entity.not_in(entities),
        )
    )
    for entity in session.scalars(still).all():
        resolve_by_progress(session, entity, code, partner=partner)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExpectation:
    """Something that must follow within `within` seconds."""

    name: str
    entity_kind: str
    entity_id: int
    partner: str
    within: float
    correlation_id: uuid.UUID


_EXPECT = sa.text("""
INSERT INTO expectation (name, entity_kind, entity_id, partner, due_at, correlation_id)
SELECT name, entity_kind, entity_id, partner, now() + make_interval(secs => within), correlation_id
  FROM unnest(CAST(:name AS text[]), CAST(:entity_kind AS text[]), CAST(:entity_id AS bigint[]),
              CAST(:partner AS text[]), CAST(:within AS float8[]), CAST(:correlation_id AS uuid[]))
       v(name, entity_kind, entity_id, partner, within, correlation_id)
ON CONFLICT DO NOTHING
""")
_EXPECTED = "name entity_kind entity_id partner within correlation_id".split()


def expect(session: Session, expectations: Sequence[NewExpectation]) -> None:
    """Write down what must follow; what is expected already stays as it is."""
    if expectations:
        session.execute(
            _EXPECT, {name: [getattr(one, name) for one in expectations] for name in _EXPECTED}
        )


def end_expectations(
    session: Session, kind: str, entities: Collection[int], name: str, *, state: str
) -> None:
    """Mark expectations `met` by their effect, or `cancelled`; an overdue one is met late."""
    if entities:
        session.execute(
            sa.update(Expectation)
            .where(
                Expectation.entity_kind == kind,
                Expectation.entity_id.in_(entities),
                Expectation.name == name,
                Expectation.state.in_(["open", "overdue"]),
            )
            .values(state=state, met_at=sa.func.now())
        )


def audit(
    session: Session, *, actor: str, act: str, about: str, about_id: int | None, **detail: Any
) -> None:
    """Write down what a person did."""
    session.add(Audit(actor=actor, act=act, about=about, about_id=about_id, detail=detail))


# What is so already, although its expectation was written down later than it came about.
_SATISFIED = sa.text("""
UPDATE expectation e SET state = CASE p.state WHEN 'cancelled' THEN 'cancelled' ELSE 'met' END,
       met_at = now()
  FROM order_part p
 WHERE e.state = 'open' AND e.due_at <= now() AND e.entity_kind = 'part' AND p.id = e.entity_id
   AND CASE e.name WHEN 'acknowledged' THEN p.acknowledged_at IS NOT NULL
                   WHEN 'shipped' THEN p.state IN ('shipped', 'cancelled') ELSE false END
""")
_NAMES = sa.text("""
SELECT e.id, o.number FROM expectation e
  LEFT JOIN order_part p ON e.entity_kind = 'part' AND p.id = e.entity_id
  LEFT JOIN shipment s ON e.entity_kind = 'shipment' AND s.id = e.entity_id
  JOIN sales_order o ON o.id = CASE e.entity_kind WHEN 'order' THEN e.entity_id
                                    WHEN 'part' THEN p.order_id ELSE s.order_id END
 WHERE e.id = ANY (:ids)
""")


def mark_overdue(session: Session, limit: int = 500) -> list[tuple[Expectation, str]]:
    """Mark expectations whose time has passed; return them with the number of their order.

    Of a partner that is only observed nothing is demanded: its time begins when it goes live.
    """
    observed = sa.select(PartnerState.partner).where(PartnerState.mode == Mode.OBSERVE.value)
    session.execute(_SATISFIED)
    late = session.scalars(
        sa.select(Expectation)
        .where(
            Expectation.state == "open",
            Expectation.due_at <= sa.func.now(),
            Expectation.partner.not_in(observed),
        )
        .order_by(Expectation.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for one in late:
        one.state = "overdue"
    named = session.execute(_NAMES, {"ids": [one.id for one in late]})
    names = {row.id: row.number for row in named}
    return [(one, str(names.get(one.id, one.entity_id))) for one in late]
