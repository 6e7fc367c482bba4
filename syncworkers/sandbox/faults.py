"""Fault switches: which of a partner's calls and webhooks go wrong, and how.

Seeded, so that a run can be repeated. Level `normal`: one in twenty at random, and every kind at
least once, early; `storm`: three webhooks in ten as well. Only what was really injected is counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE = 0.05
STORMY_WEBHOOKS = 0.3
LEVELS = ("none", "normal", "storm")


class CallFault(StrEnum):
    """How a call to the partner goes wrong."""

    THROTTLE = "throttle"
    """429 with Retry-After."""
    SERVER_ERROR = "server_error"
    RESET = "reset"
    """The connection is reset, and nothing happened."""
    TIMEOUT_BEFORE = "timeout_before"
    """Nothing happens, and no answer comes."""
    TIMEOUT_AFTER = "timeout_after"
    """It happens, and no answer comes."""
    LATE_EFFECT = "late_effect"
    """It happens five seconds after the caller gave up."""
    SLOW = "slow"
    OUTAGE = "outage"
    """For a while every call is reset."""
    HANG = "hang"
    """Half a minute of silence, and nothing happened; only in a spell."""


class WebhookFault(StrEnum):
    """How a webhook of the partner goes wrong."""

    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    LOSE = "lose"


SINGLE = tuple(kind for kind in CallFault if kind is not CallFault.HANG)


class FaultPlan:
    """Decides call by call; safe to use from many threads."""

    def __init__(self, *, level: str, seed: int, calls: int = 4, webhooks: int = 4) -> None:
        """Start a plan; every kind once, from the second on at each `calls`th call or so."""
        self._chance = random.Random(f"faults/{seed}")
        self._level = level
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._calls = self._webhooks = 0
        self._next_calls: deque[CallFault] = deque()
        self._next_webhooks: deque[WebhookFault] = deque()
        self._spell: CallFault | None = None
        self._spell_until = 0.0
        self._due_calls = self._schedule(list(SINGLE), calls)
        self._due_webhooks = self._schedule(list(WebhookFault), webhooks)

    def _schedule(self, kinds: list[Any], distance: int) -> dict[int, Any]:
        self._chance.shuffle(kinds)
        return {2 + place * distance: kind for place, kind in enumerate(kinds)}

    @property
    def repeats(self) -> int:
        """Return how often a doubled webhook is sent again."""
        return 2 if self._level == "storm" else 1

    def next_call(self) -> CallFault | None:
        """Decide about the next call."""
        with self._lock:
            self._calls += 1
            if self._spell is not None and time.monotonic() < self._spell_until:
                fault: CallFault | None = self._spell
            elif self._next_calls:
                fault = self._next_calls.popleft()
            elif self._level == "none":
                fault = None
            else:
                fault = self._due_calls.get(self._calls) or self._by_chance(list(SINGLE))
            self._count("call", fault)
            return fault

    def next_webhook(self) -> WebhookFault | None:
        """Decide about the next webhook."""
        with self._lock:
            self._webhooks += 1
            if self._next_webhooks:
                fault: WebhookFault | None = self._next_webhooks.popleft()
            elif self._level == "none":
                fault = None
            else:
                chance = self._by_chance(list(WebhookFault))
                fault = self._due_webhooks.get(self._webhooks) or chance
            self._count("webhook", fault)
            return fault

    def _by_chance(self, kinds: list[Any]) -> Any:
        stormy = self._level == "storm" and WebhookFault.REORDER in kinds
        if self._chance.random() >= (STORMY_WEBHOOKS if stormy else RATE):
            return None
        if CallFault.OUTAGE in kinds:
            kinds.remove(CallFault.OUTAGE)  # one is enough: it takes everything down for seconds
        return self._chance.choice(kinds)

    def _count(self, side: str, fault: StrEnum | None) -> None:
        if fault is not None:
            self._counts[f"{side}.{fault.value}"] += 1

    def switch(self, switches: Mapping[str, Any]) -> None:
        """Set switches. Raises ValueError.

        `next` (calls), `webhooks` (next webhooks), `level`, and `spell`: by kind of call fault the
        seconds in which every call meets it.
        """
        calls = [CallFault(kind) for kind in switches.get("next", ())]
        webhooks = [WebhookFault(kind) for kind in switches.get("webhooks", ())]
        level = switches.get("level", self._level)
        spells = [
            (CallFault(kind), float(seconds))
            for kind, seconds in dict(switches.get("spell", {})).items()
        ]
        unknown = switches.keys() - {"next", "webhooks", "level", "spell"}
        if unknown or level not in LEVELS:
            message = f"unknown switches {sorted(unknown)} or level {level!r}"
            raise ValueError(message)
        with self._lock:
            self._next_calls.extend(calls)
            self._next_webhooks.extend(webhooks)
            self._level = level
            for kind, seconds in spells:
                self._spell, self._spell_until = kind, time.monotonic() + seconds

    def counts(self) -> dict[str, int]:
        """Return what was injected, by kind."""
        with self._lock:
            return dict(sorted(self._counts.items()))
