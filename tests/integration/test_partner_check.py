"""`partners check`: thing by thing, with a remedy; subscriptions are repaired, unless observed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from syncworkers.errors import RejectedError
from syncworkers.flows.check import check
from syncworkers.flows.subscribe import audit_subscriptions
from tests.integration.test_observe import observed, written
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from syncworkers.connectors.cutover import CheckResult
    from tests.integration.world import World

SUBSCRIPTIONS = "webhook subscriptions"


def checked(world: World, partner: str) -> dict[str, CheckResult]:
    return {one.name: one for one in check(world.fleet, partner, actor="ann")}


def test_a_sound_partner_is_ok_in_everything(world: World) -> None:
    found = {one: checked(world, one) for one in (ERP, STORE, WAREHOUSE)}

    wrong = [(name, one) for name, all_ in found.items() for one in all_.values() if not one.ok]
    assert wrong == []
    common = {"reachability", "credentials", "clock", "rights", "api version", "read"}
    assert set(found[ERP]) == common | {"companies", "packing slip service"}
    assert set(found[STORE]) == common | {"shop", "supported version", SUBSCRIPTIONS}
    assert set(found[WAREHOUSE]) == common | {SUBSCRIPTIONS}
    assert found[STORE]["api version"].saw.startswith("2026-07 ends on 2027-07-01")


def test_missing_subscriptions_are_created_and_told(world: World) -> None:
    assert checked(world, WAREHOUSE)[SUBSCRIPTIONS].ok
    for one in world.warehouse.webhooks.all():
        world.warehouse.webhooks.delete(one.id)

    repaired = checked(world, WAREHOUSE)[SUBSCRIPTIONS]

    assert repaired.ok
    assert repaired.saw.endswith("were missing, and are subscribed to again")
    assert checked(world, WAREHOUSE)[SUBSCRIPTIONS].saw == "all stand"
    acts = world.rows("SELECT actor, act FROM audit ORDER BY id")
    assert acts == [("ann", "partners.subscribe")] * 2


def test_at_an_observed_partner_missing_subscriptions_are_only_told(world: World) -> None:
    observed(world, WAREHOUSE)

    found = checked(world, WAREHOUSE)[SUBSCRIPTIONS]
    created = audit_subscriptions(world.fleet, WAREHOUSE)

    assert not found.ok
    assert found.remedy == f"`syncworkers partners mode {WAREHOUSE} live` creates them"
    assert created == []
    assert world.warehouse.webhooks.all() == []
    assert written(world)[WAREHOUSE] == set()


def test_a_partner_that_is_away_fails_in_one_thing_with_a_remedy(world: World) -> None:
    world.warehouse.plan.switch({"spell": {"reset": 60.0}})

    found = checked(world, WAREHOUSE)

    assert not found["reachability"].ok
    assert "is [connection] url right" in found["reachability"].remedy
    assert SUBSCRIPTIONS not in found


def test_refused_credentials_are_told_as_such(world: World) -> None:
    known = world.fleet.partners[WAREHOUSE]
    account = known.connection._account
    account.settings = replace(account.settings, access_token="pat-old")

    found = checked(world, WAREHOUSE)

    assert found["reachability"].ok
    assert not found["credentials"].ok
    assert "pat-old" not in repr(found)


def test_an_unknown_partner_is_refused(world: World) -> None:
    with pytest.raises(RejectedError, match="there is no partner 'x'"):
        check(world.fleet, "x", actor="ann")
