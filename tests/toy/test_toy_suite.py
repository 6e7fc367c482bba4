"""The toyshop passes the suite that every connector passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mappings
from syncworkers.engine.tokens import SharedTokens
from tests.connectors.suite import *  # noqa: F403 - every test of it
from tests.connectors.suite import Running, on_bench
from tests.toy import mapping
from tests.toy.bench import ToyShopBench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture
def running(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """The toyshop on its bench, its mapping in the registry."""
    monkeypatch.setitem(mappings.READS, ("toyshop", "toy/sold"), mapping)  # type: ignore[arg-type]
    with on_bench("toyshop", ToyShopBench(), SharedTokens(redis_client)) as started:
        yield started
