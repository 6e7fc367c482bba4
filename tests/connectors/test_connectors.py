"""The suite for every kind in the registry; one without a bench fails: nobody joins untested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncworkers.connectors import CONNECTORS
from syncworkers.engine.tokens import SharedTokens
from tests.connectors.adobe_commerce_bench import AdobeCommerceBench
from tests.connectors.dynamics365_bench import Dynamics365Bench
from tests.connectors.shipbob_bench import ShipBobBench
from tests.connectors.shopify_bench import ShopifyBench
from tests.connectors.suite import *  # noqa: F403 - every test of it
from tests.connectors.suite import Running, on_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from tests.connectors.bench import Bench

BENCHES: dict[str, Callable[[], Bench]] = {
    "adobe_commerce": AdobeCommerceBench,
    "dynamics365": Dynamics365Bench,
    "shipbob": ShipBobBench,
    "shopify": ShopifyBench,
}
"""One line for each kind of partner."""


CALLED = sorted(kind for kind, made in CONNECTORS.items() if not hasattr(made, "collect"))
"""Partners that are called and that call us. For those of files see `test_edi_sftp.py`."""


@pytest.fixture(params=CALLED)
def running(request: pytest.FixtureRequest, redis_client: Redis) -> Iterator[Running]:
    """Each kind of the registry, on its bench."""
    if request.param not in BENCHES:
        pytest.fail(f"{request.param} has no bench: see tests/connectors/bench.py")
    bench = BENCHES[request.param]()
    with on_bench(request.param, bench, SharedTokens(redis_client)) as started:
        yield started
