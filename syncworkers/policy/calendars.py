"""When a warehouse works, and how long its parcels take: `config/calendars.toml`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo


class Release(StrEnum):
    """When a part may be handed to its warehouse."""

    AT_ONCE = "at_once"
    WORKING_TIME = "working_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One warehouse's table; all times are of its own zone.

    `cut_offs` and `transit_days` are by the store's shipping method, `default` for the others. A
    warehouse works on blackout days, but nothing leaves it.
    """

    zone: ZoneInfo
    working_days: frozenset[int]
    """0 is Monday."""
    opens: dt.time = dt.time(0)
    release: Release = Release.AT_ONCE
    holidays: frozenset[dt.date] = frozenset()
    blackout_days: frozenset[dt.date] = frozenset()
    cut_offs: Mapping[str, dt.time] = field(default_factory=dict)
    transit_days: Mapping[str, int] = field(default_factory=dict)
    """Days on which carriers drive: Monday to Friday, but for the warehouse's holidays."""

    def cut_off(self, method: str) -> dt.time | None:
        """Return until when an order leaves the same day; None: however late it comes."""
        return self.cut_offs.get(method, self.cut_offs.get(DEFAULT))

    def transit(self, method: str) -> int | None:
        """Return how many days a parcel takes; None: nothing is promised."""
        return self.transit_days.get(method, self.transit_days.get(DEFAULT))


DEFAULT = "default"
