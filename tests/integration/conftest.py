from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration import world as whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from tests.integration.world import World


@pytest.fixture
def world(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """Both partners and us, everything fresh."""
    with whole.world(
        running_servers.database_url, running_servers.redis_url, tmp_path, monkeypatch
    ) as started:
        yield started
