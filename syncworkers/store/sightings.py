"""Files that lie at partners and are not whole yet, as the last look saw them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class SightedFile(Base):
    """One file that was seen, and since when it has looked so."""

    __tablename__ = "sighted_file"

    partner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int | None]
    modified: Mapped[int | None]
    since: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    unfinished: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    """How often it was taken as whole, and had no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A file as it was seen; `unchanged` is in seconds."""

    name: str
    size: int | None
    modified: int | None
    unchanged: float = 0.0
    unfinished: int = 0


def sightings(session: Session, partner: str) -> list[Sighting]:
    """Return what the last look saw at a partner."""
    rows = session.execute(
        sa.text("""
        SELECT name, size, modified, extract(epoch FROM now() - since)::float8 AS unchanged,
               unfinished
          FROM sighted_file WHERE partner = :partner"""),
        {"partner": partner},
    ).mappings()
    return [Sighting(**row) for row in rows]


_NOTE = sa.text("""
WITH seen AS (
  SELECT * FROM unnest(CAST(:names AS text[]), CAST(:sizes AS bigint[]),
                       CAST(:modified AS bigint[]), CAST(:unfinished AS int[]))
           v(name, size, modified, unfinished)),
gone AS (
  DELETE FROM sighted_file f WHERE f.partner = :partner
     AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.name = f.name))
INSERT INTO sighted_file AS f (partner, name, size, modified, unfinished)
SELECT :partner, name, size, modified, unfinished FROM seen
ON CONFLICT (partner, name) DO UPDATE
   SET size = excluded.size, modified = excluded.modified, unfinished = excluded.unfinished,
       since = CASE WHEN (f.size, f.modified)
                         IS NOT DISTINCT FROM (excluded.size, excluded.modified)
                    THEN f.since ELSE now() END
""")


def note(session: Session, partner: str, seen: Sequence[Sighting]) -> None:
    """Keep what lies at a partner now, and forget what does not."""
    values = {
        "partner": partner,
        "names": [one.name for one in seen],
        "sizes": [one.size for one in seen],
        "modified": [one.modified for one in seen],
        "unfinished": [one.unfinished for one in seen],
    }
    session.execute(_NOTE, values)
