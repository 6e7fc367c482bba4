"""Which blow falls when: seeded, so that a storm can be repeated."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

DENSE = (1.5, 3.0)
"""Seconds between two blows that leave no time to recover."""
LONG = (2.5, 6.0)
"""Seconds between two blows of a long storm, so that it is seen what each of them costs."""


class Blow(StrEnum):
    """One kind of harm to what is ours, or to a partner as a whole."""

    KILL_WORKER = "worker.kill"
    KILL_POOL_CHILD = "pool_child.kill"
    KILL_GATEWAY = "gateway.kill"
    KILL_BEAT = "beat.kill"
    FLUSH_REDIS = "redis.flush"
    KILL_REDIS = "redis.kill"
    FREEZE_REDIS = "redis.freeze"
    RESTART_POSTGRES = "postgres.restart"
    KILL_POSTGRES = "postgres.kill"
    CUT_POSTGRES = "postgres.cut"
    """Every connection to it is cut."""
    CUT_REDIS = "redis.cut"
    PARTNER_DOWN = "partner.down"
    """Every call to one partner is reset, for ten seconds."""
    PARTNER_HANGS = "partner.hang"
    """Every call to one partner is silent for thirty seconds, for a while."""


KILLS = frozenset(
    {Blow.KILL_WORKER, Blow.KILL_POOL_CHILD, Blow.KILL_GATEWAY, Blow.KILL_BEAT}
    | {Blow.KILL_REDIS, Blow.KILL_POSTGRES}
)
OFTEN = (Blow.KILL_WORKER, Blow.KILL_WORKER, Blow.KILL_GATEWAY, Blow.FLUSH_REDIS, Blow.CUT_POSTGRES)
"""They fall more than once in a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A blow, and the seconds after the storm's beginning at which it falls.

    `partner` is whose turn it is, where a blow meets a partner.
    """

    at: float
    blow: Blow
    partner: str


def schedule(
    seed: int, partners: tuple[str, ...], *, seconds: float | None = None
) -> list[Scheduled]:
    """Plan a storm of so many seconds, or one dense round.

    In each round every blow falls, some several times, in an order of its own.
    """
    chance = random.Random(f"storm/{seed}")  # noqa: S311 - it guards nothing
    distance = DENSE if seconds is None else LONG
    planned: list[Scheduled] = []
    at = 1.0
    while not planned or (seconds is not None and at < seconds):
        blows = [*Blow, *OFTEN]
        chance.shuffle(blows)
        for blow in blows:
            planned.append(Scheduled(at=at, blow=blow, partner=chance.choice(partners)))
            at += chance.uniform(*distance)
    return [one for one in planned if seconds is None or one.at < seconds]
