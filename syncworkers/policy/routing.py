"""Which node ships what: `config/routing.toml`, rules read from the top."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from syncworkers.policy.fulfilment import NodeKind


class Split(StrEnum):
    """Whether the lines of one rule may leave from several nodes."""

    NEVER = "never"
    BY_LINE = "by_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostcodeRange:
    """Postcodes from `first` to `last`, both included; only their first characters are compared.

    `9` is a range of its own: everything that begins with it.
    """

    first: str
    last: str

    def covers(self, postcode: str) -> bool:
        """Say whether a postcode, without blanks, lies within."""
        return self.first <= postcode[: len(self.first)] and (
            postcode[: len(self.last)] <= self.last
        )

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.first}…" if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A time of day in a place; what is placed at or after it has missed it."""

    time: dt.time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """One `[[rules]]` entry. An empty condition holds always; all must hold.

    `sku_classes` are asked of each line, everything else of the order. `nodes` are tried in their
    order.
    """

    number: int
    """Its place in the file, from 1."""
    nodes: tuple[str, ...]
    stores: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    postcodes: tuple[PostcodeRange, ...] = ()
    currencies: frozenset[str] = frozenset()
    sku_classes: frozenset[str] = frozenset()
    node_kinds: frozenset[NodeKind] = frozenset()
    """Nodes of other kinds are refused."""
    before: CutOff | None = None
    """Only what was placed before this time of its day."""
    split: Split = Split.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """All rules; the first whose conditions hold for a line decides about it."""

    rules: tuple[RoutingRule, ...] = ()
    sku_classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
