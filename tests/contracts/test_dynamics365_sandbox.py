"""The simulated entity sets have no field that F&O does not have."""

from __future__ import annotations

import json

import pytest

from syncworkers.sandbox.dynamics365 import entities
from tests.contracts.shared import folder


@pytest.mark.parametrize(
    ("entity_set", "ours"),
    [("SalesOrderHeadersV2", entities.HEADER), ("SalesOrderLinesV3", entities.LINE)],
)
def test_simulated_fields_are_real_fields(entity_set: str, ours: dict[str, object]) -> None:
    contract = json.loads((folder("contracts/dynamics365") / "entities.json").read_bytes())

    real = set(contract["entities"][entity_set]["fields"])

    assert sorted(set(ours) - real) == []
