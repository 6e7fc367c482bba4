from __future__ import annotations

import threading

import pytest

from syncworkers.sandbox.faults import SINGLE, CallFault, FaultPlan, WebhookFault


def test_in_a_spell_every_call_meets_its_fault_and_then_none_does() -> None:
    plan = FaultPlan(level="none", seed=1)
    plan.switch({"spell": {"hang": 0.2}})

    assert [plan.next_call() for _ in range(3)] == [CallFault.HANG] * 3
    threading.Event().wait(0.25)

    assert plan.next_call() is None
    assert plan.counts() == {"call.hang": 3}


def test_a_hang_comes_only_in_a_spell() -> None:
    plan = FaultPlan(level="storm", seed=1)

    met = {plan.next_call() for _ in range(2000)}

    assert met == {None, *SINGLE}


def test_in_a_storm_many_more_webhooks_go_wrong_and_a_doubled_one_comes_three_times() -> None:
    calm, storm = (FaultPlan(level=level, seed=1) for level in ("normal", "storm"))

    wrong = [sum(plan.next_webhook() is not None for _ in range(1000)) for plan in (calm, storm)]

    assert wrong[1] > 3 * wrong[0]
    assert (calm.repeats, storm.repeats) == (1, 2)
    assert {storm.next_webhook() for _ in range(200)} == {None, *WebhookFault}


@pytest.mark.parametrize("switches", [{"spell": {"flood": 1}}, {"spell": {"hang": "long"}}])
def test_a_switch_that_means_nothing_is_refused(switches: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"flood|long"):
        FaultPlan(level="none", seed=1).switch(switches)
