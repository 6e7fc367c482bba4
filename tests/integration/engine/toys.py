"""A toy kind of work: the engine moves it and knows nothing of orders or partners."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from syncworkers.engine import lines
from syncworkers.engine.lanes import LaneHandle, LaneSpec, register
from syncworkers.engine.work import WorkTable
from syncworkers.store.base import NAMING, Base, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class ToyBase(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = Base.type_annotation_map


class Toy(Work, ToyBase):
    """Work whose effect is a row in `toy_effect`."""

    __tablename__ = "toy"
    __table_args__ = (
        sa.Index("toy_open", "lane", "line", "id", postgresql_where=sa.text("state = 'open'")),
    )
    what: Mapped[str] = mapped_column(sa.Text)


TOYS = WorkTable.of(Toy, effects=True)


def make_tables(database: sa.Engine) -> None:
    """Make the toy's table afresh."""
    ToyBase.metadata.drop_all(database)
    ToyBase.metadata.create_all(database)


def open_lane(database: sa.Engine, **settings: object) -> LaneHandle:
    """Register one lane of toys."""
    spec = LaneSpec(name="toys", **settings)  # type: ignore[arg-type]
    with Session(database) as session, session.begin():
        ids = register(session, [spec])
    return LaneHandle(id=ids["toys"], spec=spec, work=TOYS)


@contextmanager
def transaction(database: sa.Engine) -> Iterator[Session]:
    """One committed transaction."""
    with Session(database) as session, session.begin():
        yield session


def put(
    database: sa.Engine,
    lane: LaneHandle,
    toys: Sequence[tuple[int, str]],
    *,
    due_in: float = 0.0,
) -> list[int]:
    """Enqueue toys as (line, what); return their ids."""
    with transaction(database) as session:
        lines.enqueue(session, lane.id, [line for line, _ in toys], due_in=due_in)
        return [
            session.execute(
                sa.insert(Toy)
                .values(lane=lane.id, line=line, state="open", what=what)
                .returning(Toy.id)
            ).scalar_one()
            for line, what in toys
        ]


def finish(session: Session, ids: Sequence[int], state: str = "done") -> None:
    """End rows."""
    session.execute(sa.update(Toy).where(Toy.id.in_(ids)).values(state=state))


def work_all(database: sa.Engine, lane: LaneHandle, worker: str = "w") -> list[str]:
    """Claim once, finish everything claimed; return what it was, in order."""
    with transaction(database) as session:
        claimed = lines.claim(session, lane, worker=worker)
    with transaction(database) as session:
        claimed = lines.read(session, claimed)
    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        done = [line for line in claimed.lines if line.key in pending]
        finish(session, [row["id"] for line in done for row in line.rows])
        results = [lines.LineResult(key=one.key, finished=len(one.rows)) for one in done]
        lines.settle(session, claimed, pending, results)
    return [row["what"] for line in done for row in line.rows]


def ask(database: sa.Engine, question: str, **values: object) -> object:
    """Return one value."""
    with database.connect() as connection:
        return connection.execute(sa.text(question), values).scalar()


def pass_time(database: sa.Engine, seconds: float) -> None:
    """Let time pass for the queue: everything stored moves into the past."""
    with database.begin() as connection:
        for table, column in (
            ("line", "due_at"),
            ("line", "lease_until"),
            ("toy", "due_at"),
            ("lane", "claimed_at"),
            ("lane", "paused_until"),
        ):
            connection.execute(
                sa.text(f"UPDATE {table} SET {column} = {column} - make_interval(secs => :s)"),
                {"s": seconds},
            )
