"""Fault switches: which of the warehouse's files and SFTP sessions go wrong, and how.

Seeded, so that a run can be repeated. Level `normal`: every kind of `IN_LEVELS` at least once,
early, then one in twenty; `storm`: one in five. Only what was really done is counted.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.faults import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RATES = {"none": 0.0, "normal": 0.05, "storm": 0.2}
DISTANCE = 2
"""Every second file meets a fault, until each kind was met once."""


class FileFault(StrEnum):
    """How a file of the warehouse goes wrong; it is made good later, unless it says otherwise."""

    DUPLICATE = "duplicate"
    """The same file once more, under another name."""
    HALF = "half"
    """Under its final name before it is written to its end."""
    TRUNCATED = "truncated"
    """Without its end; later whole, under another name."""
    WRONG_COUNT = "wrong_count"
    """One SE counts wrong; later that set in an interchange of its own."""
    LATE_ACK = "late_ack"
    DELIMITERS = "delimiters"
    BOM = "bom"
    TWO_INTERCHANGES = "two_interchanges"
    REPEAT = "repeat"
    """The same ship advices once more, in another interchange."""
    REUSED_NUMBER = "reused_number"
    """Under the ISA13 of the file before; later under one of its own. By hand alone."""
    MISSING_ACK = "missing_ack"
    """No 997 at all, ever. By hand alone."""
    REJECT = "reject"
    """A 997 refuses a ship order, which is not taken. By hand alone."""


class LinkFault(StrEnum):
    """How a session with the SFTP server goes wrong."""

    CUT = "cut"
    REFUSE_RENAME = "refuse_rename"
    HANG = "hang"
    REFUSE_LOGIN = "refuse_login"
    """By hand alone: whoever is refused waits for a person."""


IN_LEVELS: tuple[FileFault | LinkFault, ...] = (
    FileFault.DUPLICATE,
    FileFault.HALF,
    FileFault.TRUNCATED,
    FileFault.WRONG_COUNT,
    FileFault.LATE_ACK,
    FileFault.DELIMITERS,
    FileFault.BOM,
    FileFault.TWO_INTERCHANGES,
    FileFault.REPEAT,
    LinkFault.CUT,
    LinkFault.REFUSE_RENAME,
    LinkFault.HANG,
)
"""What happens by itself: nothing of it needs a person, and nothing is missing in the end."""
ACKS = frozenset({FileFault.LATE_ACK, FileFault.MISSING_ACK})
ADVICES = frozenset({FileFault.REPEAT})
NOT_ACKS = frozenset({FileFault.WRONG_COUNT, FileFault.TWO_INTERCHANGES, FileFault.REUSED_NUMBER})
SPELLS = {"outage", "hang"}


class FilePlan:
    """Decides file by file and session by session; safe to use from many threads."""

    def __init__(self, *, level: str, seed: int) -> None:
        self._chance = random.Random(f"files/{seed}")
        self._level = level
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._by_hand: list[FileFault | LinkFault] = []
        self._due = list(IN_LEVELS)
        self._chance.shuffle(self._due)
        self.on_spell: Callable[[str, float], None] | None = None
        """Told of a spell and its seconds."""

    def next_file(self, document: str) -> FileFault | None:
        """Decide about the next file, by what is in it; whoever does it counts it."""
        fault = self._next("file", [one for one in FileFault if _fits(one, document)])
        return fault if isinstance(fault, FileFault) else None

    def next_session(self) -> LinkFault | None:
        """Decide about the next session; whoever does it counts it."""
        fault = self._next("session", list(LinkFault))
        return fault if isinstance(fault, LinkFault) else None

    def rejects(self) -> bool:
        """Say whether the next ship order is to be refused, once."""
        with self._lock:
            told = FileFault.REJECT in self._by_hand
            if told:
                self._by_hand.remove(FileFault.REJECT)
            return told

    def _next(
        self, side: str, kinds: Sequence[FileFault | LinkFault]
    ) -> FileFault | LinkFault | None:
        with self._lock:
            for one in self._by_hand:
                if one in kinds:
                    self._by_hand.remove(one)
                    return one
            if self._level == "none":
                return None
            self._asked[side] += 1
            due = [one for one in self._due if one in kinds]
            if due and self._asked[side] % DISTANCE == 0:
                self._due.remove(due[0])
                return due[0]
            mine = [one for one in IN_LEVELS if one in kinds]
            seldom = due or self._chance.random() >= RATES[self._level]
            return None if seldom or not mine else self._chance.choice(mine)

    def count(self, fault: FileFault | LinkFault) -> None:
        """Note a fault that was done."""
        with self._lock:
            self._counts[f"file.{fault.value}"] += 1

    def switch(self, switches: Mapping[str, Any]) -> None:
        """Set switches. Raises ValueError.

        `next` are the next faults of files and of sessions, each for the first it fits; `level`;
        `spell` is by `outage` or `hang` the seconds in which every session meets it.
        """
        wanted = [_fault(one) for one in switches.get("next", ())]
        level = switches.get("level", self._level)
        spells = {kind: float(length) for kind, length in dict(switches.get("spell", {})).items()}
        unknown = (switches.keys() - {"next", "level", "spell"}) | (spells.keys() - SPELLS)
        if unknown or level not in LEVELS:
            message = f"unknown switches {sorted(unknown)} or level {level!r}"
            raise ValueError(message)
        with self._lock:
            self._by_hand.extend(wanted)
            self._level = level
        for kind, seconds in spells.items():
            if self.on_spell is not None:
                self.on_spell(kind, seconds)

    def counts(self) -> dict[str, int]:
        """Return what was done, by kind."""
        with self._lock:
            return dict(sorted(self._counts.items()))


def _fits(fault: FileFault, document: str) -> bool:
    """Say whether a fault can happen to a file of such documents."""
    if fault is FileFault.REJECT:
        return False
    if fault in ACKS:
        return document == "997"
    if fault in ADVICES:
        return document == "945"
    return document != "997" or fault not in NOT_ACKS


def _fault(name: str) -> FileFault | LinkFault:
    return FileFault(name) if name in set(FileFault) else LinkFault(name)
