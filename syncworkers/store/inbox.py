"""The inbox: every message a partner sent us, stored once, as received."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base, Work, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

MESSAGE_STATES = ("open", "parked", "applied", "superseded", "echo", "rejected")


class Message(Work, Base):
    """One thing received. A duplicate is not stored again, only counted."""

    __tablename__ = "message"

    partner: Mapped[str]
    source: Mapped[str]
    """How it came: webhook, poll, file."""
    external_id: Mapped[str]
    topic: Mapped[str]
    kind: Mapped[str]
    entity: Mapped[str]
    """The partner's id of the object; with partner and kind it names the line."""
    event_id: Mapped[str | None]
    contract: Mapped[str | None]
    reason: Mapped[str | None]
    duplicates: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    correlation_id: Mapped[uuid.UUID]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    finished_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("partner", "source", "external_id"),
        sa.Index("message_open", "lane", "line", "id", postgresql_where=sa.text("state = 'open'")),
        sa.Index("message_parked", "due_at", postgresql_where=sa.text("state = 'parked'")),
        sa.Index("message_waiting", "waiting_for", postgresql_where=sa.text("state = 'parked'")),
        sa.Index("message_correlation_id", "correlation_id"),
        sa.Index("message_entity", "partner", "kind", "entity"),
        one_of("state", MESSAGE_STATES),
    )


class MessageBody(Base):
    """A message's text: as received, and as read again at the partner before acting on it."""

    __tablename__ = "message_body"

    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("message.id", ondelete="CASCADE"), primary_key=True
    )
    part: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)

    __table_args__ = (one_of("part", ("received", "reread")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message at the door. `waiting_for` parks it there (its topic has no meaning to us yet)."""

    lane: int
    line: int
    partner: str
    source: str
    external_id: str
    topic: str
    kind: str
    entity: str
    correlation_id: uuid.UUID
    body: bytes
    event_id: str | None = None
    contract: str | None = None
    waiting_for: str | None = None


_KNOWN = sa.text("""
SELECT external_id FROM message
 WHERE partner = :partner AND source = :source AND external_id = ANY (CAST(:ids AS text[]))
""")


def known(session: Session, partner: str, source: str, ids: Collection[str]) -> set[str]:
    """Return which of these external ids are stored already."""
    rows = session.execute(_KNOWN, {"partner": partner, "source": source, "ids": list(ids)})
    return {row.external_id for row in rows}


def count_duplicate(session: Session, partner: str, source: str, external_id: str) -> None:
    """Count a message that came again; it is not stored again."""
    session.execute(
        sa.update(Message)
        .where(
            Message.partner == partner,
            Message.source == source,
            Message.external_id == external_id,
        )
        .values(duplicates=Message.duplicates + 1)
    )


# Its parts run in the order in which they name each other: how long to wait for a lock, what is
# new, the lines of that, and only then are ids drawn, in the order of the messages. The look for
# what is known is a scalar sub-select, which no planner can turn into a scan of the history. Bodies
# go in binary (`b`): as text the driver writes each byte as four characters, for ten times the CPU.
_STORE = """
WITH patience AS MATERIALIZED (
  SELECT coalesce(set_config('lock_timeout', %(patience)s, true), '') AS set),
v AS MATERIALIZED (
  SELECT v.* FROM unnest(%(lane)s::smallint[], %(line)s::bigint[],
    %(partner)s::text[], %(source)s::text[], %(external_id)s::text[],
    %(topic)s::text[], %(kind)s::text[], %(entity)s::text[],
    %(event_id)s::text[], %(contract)s::text[], %(correlation_id)s::uuid[],
    %(waiting_for)s::text[], %(body)b::bytea[]) WITH ORDINALITY
    v(lane, line, partner, source, external_id, topic, kind, entity, event_id, contract,
      correlation_id, waiting_for, body, place)
   WHERE (SELECT set FROM patience) IS NOT NULL
     AND (SELECT id FROM message WHERE message.partner = v.partner AND message.source = v.source
             AND message.external_id = v.external_id) IS NULL),
announced AS (SELECT lane, line FROM v WHERE waiting_for IS NULL),
l AS ({announce} RETURNING key),
m AS (
  INSERT INTO message (lane, line, partner, source, external_id, topic, kind, entity, event_id,
                       contract, correlation_id, waiting_for, state, due_at)
  SELECT lane, line, partner, source, external_id, topic, kind, entity, event_id, contract,
         correlation_id, waiting_for,
         CASE WHEN waiting_for IS NULL THEN 'open' ELSE 'parked' END,
         CASE WHEN waiting_for IS NOT NULL THEN now() + interval '1 day' END
    FROM v WHERE (SELECT count(*) FROM l) >= 0 ORDER BY place
  RETURNING id, partner, source, external_id),
b AS (
  INSERT INTO message_body (message_id, part, body)
  SELECT m.id, 'received', v.body FROM m JOIN v USING (partner, source, external_id))
SELECT partner, source, external_id FROM m
"""
_COLUMNS = (
    "lane line partner source external_id topic kind entity event_id contract correlation_id"
    " waiting_for body"
).split()

Identity = tuple[str, str, str]
"""Partner, source, external id."""


def identity(message: NewMessage) -> Identity:
    """Return what tells a message from every other."""
    return message.partner, message.source, message.external_id


def store(
    session: Session, messages: Sequence[NewMessage], *, announce: str, patience: int
) -> set[Identity]:
    """Store those that are new, the first of each, and their lines; return which that are.

    `announce` is the engine's part of the statement, `patience` is for a lock, in milliseconds.
    Raises IntegrityError if one of them arrived by another way in the same moment.
    """
    first: dict[Identity, NewMessage] = {}
    for message in messages:
        first.setdefault(identity(message), message)
    if not first:
        return set()
    values = {name: [getattr(new, name) for new in first.values()] for name in _COLUMNS}
    stored = session.connection().exec_driver_sql(
        _STORE.format(announce=announce), {**values, "patience": str(patience)}
    )
    return {(row.partner, row.source, row.external_id) for row in stored}


def bodies(session: Session, ids: Collection[int]) -> dict[int, bytes]:
    """Read what was received."""
    if not ids:
        return {}
    rows = session.execute(
        sa.select(MessageBody.message_id, MessageBody.body).where(
            MessageBody.message_id.in_(ids), MessageBody.part == "received"
        )
    )
    return {row.message_id: row.body for row in rows}


def keep_reread(session: Session, reread: Mapping[int, bytes]) -> None:
    """Keep what was read again before acting, beside what was received."""
    if not reread:
        return
    statement = insert(MessageBody)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["message_id", "part"], set_={"body": statement.excluded.body}
        ),
        [
            {"message_id": message, "part": "reread", "body": body}
            for message, body in sorted(reread.items())
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a message ended, and why where the state does not say it.

    `correlation_id` is that of the order it turned out to belong to.
    """

    id: int
    state: str
    reason: str | None = None
    correlation_id: uuid.UUID | None = None


_FINISH = sa.text("""
UPDATE message m SET state = v.state, reason = v.reason, finished_at = now(),
       correlation_id = coalesce(v.correlation_id, m.correlation_id)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
              CAST(:correlations AS uuid[]))
       v(id, state, reason, correlation_id)
 WHERE m.id = v.id AND m.state = 'open'
""")


def finish(session: Session, endings: Sequence[Ending]) -> None:
    """End messages."""
    if endings:
        session.execute(
            _FINISH,
            {
                "ids": [ending.id for ending in endings],
                "states": [ending.state for ending in endings],
                "reasons": [ending.reason for ending in endings],
                "correlations": [ending.correlation_id for ending in endings],
            },
        )


def settled_or_under_way(
    session: Session, partner: str, kind: str, entities: Collection[str]
) -> dict[str, tuple[bool, dt.datetime | None]]:
    """Say for each entity whether work on it is open, and when its last refused message came.

    What waits for a release of ours that reads its topic says nothing about the entity yet.
    """
    rows = session.execute(
        sa.select(
            Message.entity,
            sa.func.bool_or(
                sa.or_(
                    Message.state == "open",
                    sa.and_(Message.state == "parked", Message.waiting_for.not_like("topic:%")),
                )
            ),
            sa.func.max(Message.received_at).filter(Message.state == "rejected"),
        )
        .where(Message.partner == partner, Message.kind == kind, Message.entity.in_(entities))
        .group_by(Message.entity)
    )
    return {entity: (bool(is_open), refused) for entity, is_open, refused in rows}
