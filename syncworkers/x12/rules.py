"""How strict to be with one partner: plain values, taken from its profile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What follows when a check fails; never silence."""

    ERROR = "error"
    """What was checked (set, group or interchange) is refused."""
    WARN = "warn"
    """It is taken, with a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The level of each check; a finding has the name of its rule as code."""

    set_count: Level = Level.ERROR
    """SE01 against the segments from ST to SE."""
    set_number: Level = Level.ERROR
    """SE02 against ST02."""
    group_count: Level = Level.ERROR
    """GE01 against the sets of the group."""
    group_number: Level = Level.ERROR
    """GE02 against GS06."""
    interchange_count: Level = Level.ERROR
    """IEA01 against the groups of the interchange."""
    interchange_number: Level = Level.ERROR
    """IEA02 against ISA13."""
    padding: Level = Level.WARN
    """ISA has its fixed 106 characters."""
    junk: Level = Level.WARN
    """Text outside interchanges."""
    functional_id: Level = Level.WARN
    """GS01 fits ST01; a wrong one is common, and ST01 decides what a set is."""
    documents: Level = Level.WARN
    """ST01 names a document the tables know."""
    segments: Level = Level.WARN
    """Each segment of a known document is known there."""
    mandatory: Level = Level.ERROR
    """The segments without which a document says nothing are there."""
    elements: Level = Level.WARN
    """Elements are given where they must be, of their type and length."""
    production: bool = False
    """Refuse interchanges marked as test (ISA15 T)."""
    max_segments: int = 250_000
    """Segments of one set, about 100 MB of memory; more is refused."""
