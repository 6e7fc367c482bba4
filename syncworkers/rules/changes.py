"""What changed between two canonical objects, by path."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any


def diff(before: Any, after: Any) -> dict[str, list[Any]]:
    """Return {path: [before, after]} in JSON-ready values; empty for a first version."""
    if before is None:
        return {}
    left, right = _flat(before), _flat(after)
    return {
        path: [left.get(path), right.get(path)]
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    }


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        parts = [
            (f"{path}.{field.name}" if path else field.name, getattr(value, field.name))
            for field in dataclasses.fields(value)
        ]
    elif isinstance(value, tuple):
        parts = [(f"{path}[{position}]", part) for position, part in enumerate(value)]
    else:
        return {path: _plain(value)}
    return {key: leaf for name, part in parts for key, leaf in _flat(part, name).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value
