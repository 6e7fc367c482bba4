"""How one partner speaks: what its codes mean, which ids of goods it uses, in which zone it lives.

A partner file says it under `[connection.profile]`; each table there is laid over the one here.
Codes of elements 368 (line status), 355 (units), 1250 and 426 are those of X12 004010 as our
partners use them: confirm them with each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syncworkers.canonical.advices import LineState

LINE_STATES: Mapping[str, str] = {
    "CC": LineState.SHIPPED,
    "CL": LineState.SHIPPED,
    "CM": LineState.SHIPPED,
    "CP": LineState.SHORT,
    "DS": LineState.SHORT,
    "CS": LineState.SUBSTITUTED,
    "IS": LineState.SUBSTITUTED,
    "IC": LineState.CANCELLED,
    "BP": LineState.BACKORDERED,
    "BK": LineState.BACKORDERED,
    "BO": LineState.BACKORDERED,
    "PH": LineState.ON_HOLD,
}
"""W12-01. CM is more than was asked for: how much may be taken is the rules' business."""
UNITS: Mapping[str, str] = {"EA": "each", "PC": "each", "CA": "case", "CS": "case", "PL": "pallet"}
"""Element 355 = our unit. Of several for one of ours the first is written."""
SKU_QUALIFIERS = ("VN", "SK", "BP", "IN")
"""Element 235: whose id of goods is our SKU, the first that is given."""
CORRECTIONS = ("X",)
"""W06-01 of what replaces a document."""
LISTS: Mapping[str, tuple[str, ...]] = {
    "sku_qualifiers": SKU_QUALIFIERS,
    "corrections": CORRECTIONS,
}
"""Which keys are lists, and what they are where a partner file does not say."""
MAY_BE_EMPTY = frozenset({"corrections"})
"""The lists that may say that there is nothing of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that differs by partner in what documents mean."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Where times without a zone are told: `[connection] zone`."""
    warehouse_name: str = ""
    """N1*WH-02 in what we send."""
    warehouse_code: str = ""
    """N1*WH-04 in what we send."""
    sku_qualifiers: tuple[str, ...] = SKU_QUALIFIERS
    line_states: Mapping[str, str] = field(default_factory=lambda: LINE_STATES)
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)
    milestones: Mapping[str, str] = field(default_factory=dict)
    """AT7-01 = a milestone, over those of `tracking.MILESTONES`."""
    corrections: tuple[str, ...] = CORRECTIONS
    adjustments: Mapping[str, str] = field(default_factory=dict)
    """W19-01 = why stock was adjusted, over those of `tables.ADJUSTMENTS`."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """W13-03 = in which condition goods came, over those of `tables.CONDITIONS`."""
    quantities: Mapping[str, str] = field(default_factory=dict)
    """QTY01 = what is counted, over those of `tables.QUANTITIES`."""
    currency: str = ""
    """Of charges that do not say theirs."""
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    """How a flat file of stock is read, where the partner sends any: see `snapshots`."""


def read_profile(connection: Mapping[str, Any]) -> Profile:
    """Read `[connection.profile]` and the zone; raises `ValueError` naming key and remedy."""
    table = dict(connection.get("profile", {}))
    known = {one.name for one in fields(Profile)} - {"zone"}
    for key in table:
        if key not in known:
            message = (
                f"[connection.profile] {key} is not known; known are {', '.join(sorted(known))}"
            )
            raise ValueError(message)
    given: dict[str, Any] = {"zone": _zone(str(connection.get("zone", "UTC")))}
    for key, value in table.items():
        base = {"line_states": LINE_STATES, "units": UNITS}.get(key, {})
        if key in LISTS:
            given[key] = _list(key, value)
        elif isinstance(value, Mapping):
            given[key] = {**base, **value}
        else:
            given[key] = str(value)
    for code, state in given.get("line_states", {}).items():
        if state not in set(LineState):
            message = f"[connection.profile.line_states] {code} = {state!r} is none of "
            raise ValueError(message + ", ".join(LineState))
    return Profile(**given)


def _list(key: str, value: object) -> tuple[str, ...]:
    """Return a list of texts; a text alone would be taken letter by letter."""
    example = ", ".join(f'"{one}"' for one in LISTS[key])
    where = f"[connection.profile] {key} = {value!r}"
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        message = f"{where} must be a list of texts: write it as {key} = [{example}]"
        raise ValueError(message)
    if not value and key not in MAY_BE_EMPTY:
        message = f"{where} names none: give at least one, or leave it out for [{example}]"
        raise ValueError(message)
    return tuple(value)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"[connection] zone {name!r} is not known: give one like America/Chicago"
        raise ValueError(message) from None
