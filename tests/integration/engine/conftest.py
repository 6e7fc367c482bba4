from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.engine import toys

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


@pytest.fixture
def database(clean_database: sa.Engine) -> Iterator[sa.Engine]:
    """A clean database with the toy's table."""
    toys.make_tables(clean_database)
    yield clean_database
    toys.ToyBase.metadata.drop_all(clean_database)
