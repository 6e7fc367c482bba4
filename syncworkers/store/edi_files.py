"""The control-number ledger: every EDI file that we send, frozen with its numbers, and its fate.

Numbers are taken in the transaction that freezes the file, so that a number is never lost and
never used for two contents. What a set is about, and what the partner's acknowledgement says of it,
stands beside it. Source of the rules: X12 004010 ISA13, GS06, ST02; transaction set 997.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from syncworkers.store import recovery
from syncworkers.store.base import Base, insert_rows, one_of
from syncworkers.x12.ledger import REJECTED, Frozen, stands

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from syncworkers.x12.ledger import Document, Effect, Route

FILE_STATES = ("frozen", "uploaded")
SET_STATES = ("waiting", "accepted", "rejected")
LEAP = 10_000
"""Control numbers left out by a recovery: more than can have been used in the lost time."""
LIMIT = 999_999_999
"""ISA13 has nine digits; after the last number the first one follows."""


class ControlNumber(Base):
    """The last number that was used between two parties, tests and production apart."""

    __tablename__ = "control_number"

    partner: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(primary_key=True)
    usage: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class EdiFile(Base):
    """One interchange to a partner, byte for byte as it is sent, however often that happens."""

    __tablename__ = "edi_file"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    partner: Mapped[str]
    name: Mapped[str]
    number: Mapped[int]
    """ISA13, and GS06 of its only group."""
    functional_id: Mapped[str]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    state: Mapped[str]
    frozen_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    uploaded_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("partner", "name"),
        sa.Index("edi_file_number", "partner", "number", "functional_id"),
        one_of("state", FILE_STATES),
    )


class EdiSet(Base):
    """One transaction set of a file: what it is about, and how the partner took it."""

    __tablename__ = "edi_set"

    file_id: Mapped[int] = mapped_column(
        sa.ForeignKey("edi_file.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True)
    """ST02: its place in its group, from 1."""
    code: Mapped[str]
    operation: Mapped[str]
    """What it does, as in `part.cancel`."""
    reference: Mapped[str]
    """Our own, of what it is about: an order part, or the group that it acknowledges."""
    digest: Mapped[str]
    """Of what it says, without its numbers: the same digest is the same effect."""
    state: Mapped[str]
    detail: Mapped[str | None]
    """Why it was refused, in the partner's codes."""
    acknowledged_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.Index("edi_set_reference", "reference", "file_id"),
        sa.Index(
            "edi_set_waiting",
            "file_id",
            postgresql_where=sa.text("state = 'waiting' AND code <> '997'"),
        ),
        one_of("state", SET_STATES),
    )


_LATEST = sa.text("""
SELECT DISTINCT ON (s.reference, s.operation) f.id AS file, f.name, f.number, s.place,
       s.reference, s.operation, s.digest, s.state, s.detail, f.body,
       f.state = 'uploaded' AS uploaded,
       coalesce(extract(epoch FROM now() - f.uploaded_at), 0)::float8 AS waiting,
       CASE WHEN p.state = 'cancelled'
            THEN CASE WHEN EXISTS (SELECT 1 FROM shipment h WHERE h.part_id = p.id)
                      THEN 'partial' ELSE 'cancelled' END
            WHEN p.state = 'shipped' THEN 'shipped'
        END AS answer
  FROM edi_set s JOIN edi_file f ON f.id = s.file_id
       LEFT JOIN order_part p ON p.reference = s.reference AND p.partner = f.partner
 WHERE f.partner = :partner AND s.reference = ANY (CAST(:references AS text[]))
 ORDER BY s.reference, s.operation, s.file_id DESC, s.place DESC
""")


def latest(session: Session, partner: str, references: Collection[str]) -> dict[Effect, Frozen]:
    """Return by effect the newest set that has it, whatever else was done since."""
    values = {"partner": partner, "references": sorted(references)}
    rows = session.execute(_LATEST, values).mappings()
    return {(row["reference"], row["operation"]): Frozen(**row) for row in rows}


# Held until the file with its number is committed: no number without a file, no file twice.
_HOLD = sa.text("""
INSERT INTO control_number AS c (partner, sender, receiver, usage, last)
VALUES (:partner, :sender, :receiver, :usage, :leap * (SELECT count(*) FROM recovery))
ON CONFLICT (partner, sender, receiver, usage) DO UPDATE SET last = c.last
""")
_TAKE = sa.text("""
UPDATE control_number SET last = last % :limit + 1
 WHERE partner = :partner AND sender = :sender AND receiver = :receiver AND usage = :usage
RETURNING last
""")


def freeze(
    session: Session,
    route: Route,
    functional_id: str,
    documents: Sequence[Document],
    write: Callable[[int, Sequence[Document]], tuple[str, bytes]],
) -> None:
    """Take the next number and keep the file that `write` makes with it: its name and its bytes.

    What stands in the ledger already, as the newest of its effect and not refused, is left out:
    whoever comes second, finds it.
    """
    values = {name: getattr(route, name) for name in ("partner", "sender", "receiver", "usage")}
    session.execute(_HOLD, {**values, "leap": LEAP})
    known = latest(session, route.partner, {one.reference for one in documents})
    new = [one for one in documents if not stands(known.get(one.effect), one)]
    if not new:
        return
    number = session.execute(_TAKE, {**values, "limit": LIMIT}).scalar_one()
    name, body = write(number, new)
    file = session.execute(
        sa.insert(EdiFile).returning(EdiFile.id),
        {
            "partner": route.partner,
            "name": name,
            "number": number,
            "functional_id": functional_id,
            "body": body,
            "state": "frozen",
        },
    ).scalar_one()
    rows: list[dict[str, Any]] = [
        {
            "file_id": file,
            "place": place,
            "code": one.code,
            "operation": one.operation,
            "reference": one.reference,
            "digest": one.digest,
            "state": "waiting",
        }
        for place, one in enumerate(new, start=1)
    ]
    insert_rows(session, EdiSet, rows)


def leap(session: Session) -> None:
    """Leave numbers out: a database that went back in time does not know which were used.

    Between parties of whom it knows nothing yet, the first number leaps by itself.
    """
    session.execute(
        sa.text("UPDATE control_number SET last = (last + :leap) % :limit"),
        {"leap": LEAP, "limit": LIMIT},
    )


def uploaded(session: Session, files: Collection[int]) -> None:
    """Note that these files lie where the partner fetches them."""
    session.execute(
        sa.text("""
        UPDATE edi_file SET state = 'uploaded', uploaded_at = now()
         WHERE id = ANY (CAST(:files AS bigint[])) AND state = 'frozen'"""),
        {"files": sorted(files)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a partner says of one set of ours, without `place` of all of its group.

    Without `functional_id` it is about the file of that number, whatever is in it.
    """

    functional_id: str | None
    number: int
    """GS06, and ISA13."""
    place: int | None
    accepted: bool
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A set of ours that an answer speaks of.

    `refused` says that it was, only now, and that nothing newer was sent about the same reference.
    """

    answer: Answer
    place: int
    reference: str
    operation: str
    refused: bool


# Numbers wrap: the newest file of a number counts. What is said of a whole group leaves alone what
# was said of one of its sets.
_ANSWERED = sa.text("""
SELECT a.place AS position, s.file_id, s.place, s.reference, s.operation, s.state,
       a.set IS NULL AND s.state <> 'waiting' AS told,
       NOT EXISTS (SELECT 1 FROM edi_set n JOIN edi_file g ON g.id = n.file_id
                    WHERE g.partner = :partner AND n.reference = s.reference
                      AND n.file_id > s.file_id) AS newest
  FROM unnest(CAST(:functional_ids AS text[]), CAST(:numbers AS bigint[]),
              CAST(:places AS bigint[])) WITH ORDINALITY a(functional_id, number, set, place)
       CROSS JOIN LATERAL (SELECT id FROM edi_file f
                            WHERE f.partner = :partner AND f.number = a.number
                              AND f.functional_id = coalesce(a.functional_id, f.functional_id)
                            ORDER BY id DESC LIMIT 1) f
       JOIN edi_set s ON s.file_id = f.id AND s.place = coalesce(a.set, s.place)
 ORDER BY a.place, s.place FOR UPDATE OF s
""")
_ANSWER = sa.text("""
UPDATE edi_set SET state = :state, detail = :detail, acknowledged_at = now()
 WHERE file_id = :file AND place = :place
""")


def answer(session: Session, partner: str, answers: Sequence[Answer]) -> list[Answered]:
    """Note what a partner says; what is left out of the result was never sent by us.

    A repeat changes nothing.
    """
    values = {
        "partner": partner,
        "functional_ids": [one.functional_id for one in answers],
        "numbers": [one.number for one in answers],
        "places": [one.place for one in answers],
    }
    found = []
    for row in session.execute(_ANSWERED, values).all():
        one = answers[row.position - 1]
        state = "accepted" if one.accepted else REJECTED
        found.append(
            Answered(
                answer=one,
                place=row.place,
                reference=row.reference,
                operation=row.operation,
                refused=state == REJECTED != row.state and row.newest and not row.told,
            )
        )
        if not row.told:
            told = {"state": state, "detail": one.detail, "file": row.file_id, "place": row.place}
            session.execute(_ANSWER, told)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A file of ours that nobody has acknowledged for too long."""

    name: str
    number: int
    references: tuple[str, ...]
    uploaded_at: dt.datetime


def overdue(session: Session, partner: str, within: float) -> list[Overdue]:
    """Return the files that wait for their 997 longer than `within` seconds."""
    rows = session.execute(
        sa.text("""
        SELECT f.name, f.number, f.uploaded_at,
               array_agg(s.reference ORDER BY s.place) AS references
          FROM edi_file f JOIN edi_set s ON s.file_id = f.id
         WHERE f.partner = :partner AND f.state = 'uploaded' AND s.state = 'waiting'
           AND s.code <> '997' AND f.uploaded_at < now() - make_interval(secs => :within)
         GROUP BY f.id ORDER BY f.id"""),
        {"partner": partner, "within": within},
    ).mappings()
    return [Overdue(**{**row, "references": tuple(row["references"])}) for row in rows]


class SqlLedger:
    """The ledger of one partner, each question a transaction of its own."""

    def __init__(self, database: sa.Engine, partner: str) -> None:
        self._database = database
        self._partner = partner

    def latest(self, references: Collection[str]) -> Mapping[Effect, Frozen]:
        """Return by effect the newest set that has it."""
        with Session(self._database) as session:
            return latest(session, self._partner, references)

    def restored_at(self) -> dt.datetime | None:
        """Return when it last went back in time; None: it never did."""
        with Session(self._database) as session:
            return recovery.last(session)

    def freeze(
        self,
        route: Route,
        functional_id: str,
        documents: Sequence[Document],
        write: Callable[[int, Sequence[Document]], tuple[str, bytes]],
    ) -> None:
        """Keep one file of those sets that do not stand yet, under the next number."""
        with Session(self._database) as session, session.begin():
            freeze(session, route, functional_id, documents, write)

    def uploaded(self, files: Collection[int]) -> None:
        """Note that files lie where the partner fetches them."""
        with Session(self._database) as session, session.begin():
            uploaded(session, files)
