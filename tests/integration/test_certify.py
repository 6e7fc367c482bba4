"""`partners certify` against the simulators, doing well and being made to do badly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from syncworkers.errors import RejectedError
from syncworkers.flows.certify import certify
from syncworkers.store import ledger
from tests.integration.journeys import cases
from tests.integration.test_observe import observed
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World


def results(world: World, partner: str) -> dict[str, str]:
    return {one["name"]: one["result"] for one in certify(world.fleet, partner, actor="ann").probes}


def test_the_erp_passes_every_probe_and_the_score_is_kept(world: World) -> None:
    world.release()

    found = results(world, ERP)

    assert set(found.values()) == {"passed"}, found
    kept = world.rows("SELECT partner, api_version, passed, failed, skipped FROM certification")
    assert kept == [(ERP, "OData 4.0", 9, 0, 0)]
    made = [one for one in world.booked() if one["number"].startswith("CERT")]
    assert [one["status"] for one in made] == ["Canceled"]
    acts = world.rows("SELECT actor, act, detail->>'passed' FROM audit")
    assert acts == [("ann", "partners.certify", "9")]


def test_what_certifying_makes_at_the_warehouse_disturbs_nobody(world: World) -> None:
    world.release()

    found = results(world, WAREHOUSE)
    world.hear()

    assert found.pop("a token that expired is renewed") == "skipped"
    assert set(found.values()) == {"passed"}, found
    assert cases(world) == []
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_store_is_probed_as_far_as_nothing_must_be_made(world: World) -> None:
    found = results(world, STORE)

    assert found["paging ends"] == "passed"
    assert found["a token that expired is renewed"] == "passed"
    assert found["a create is confirmed"] == "skipped"
    assert "failed" not in found.values()


def test_a_partner_that_does_badly_is_told_so(world: World) -> None:
    world.release()
    world.erp.plan.switch({"spell": {"server_error": 5.0}})
    begun = time.monotonic()

    found = results(world, ERP)

    assert time.monotonic() - begun < 60
    assert found["a create is confirmed"] == "failed"
    assert found["the same create twice has one effect"] == "skipped"


def test_an_observed_partner_is_not_certified(world: World) -> None:
    world.release()
    observed(world, ERP)

    with pytest.raises(RejectedError, match="only observed"):
        certify(world.fleet, ERP, actor="ann")

    assert world.rows("SELECT * FROM certification") == []
