"""Create the tables of the plain way in a given database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.plain.models import Base

if TYPE_CHECKING:
    import sqlalchemy as sa


def create(database: sa.Engine) -> None:
    """Create them."""
    Base.metadata.create_all(database)
