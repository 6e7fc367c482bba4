from __future__ import annotations

from syncworkers.storm.schedule import OFTEN, Blow, schedule

PARTNERS = ("shopify-us", "d365-main")


def test_the_same_seed_plans_the_same_storm() -> None:
    assert schedule(7, PARTNERS) == schedule(7, PARTNERS)
    assert schedule(7, PARTNERS) != schedule(8, PARTNERS)


def test_every_blow_falls_in_each_round() -> None:
    planned = schedule(1, PARTNERS, seconds=400)

    size = len(Blow) + len(OFTEN)
    assert len(planned) > 3 * size
    for place in range(3):
        assert {one.blow for one in planned[place * size : (place + 1) * size]} == set(Blow)


def test_blows_fall_one_after_the_other_and_meet_known_partners() -> None:
    planned = schedule(1, PARTNERS)

    assert [one.at for one in planned] == sorted(one.at for one in planned)
    assert {one.partner for one in planned} == set(PARTNERS)


def test_no_blow_falls_after_the_storms_time() -> None:
    assert max(one.at for one in schedule(1, PARTNERS, seconds=200)) < 200
    assert len(schedule(1, PARTNERS)) == len(Blow) + len(OFTEN)
