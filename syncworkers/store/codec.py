"""Canonical objects ↔ JSON for Postgres: decimals and times as text, tuples as lists."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from cattrs import Converter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Object = TypeVar("Object")

_converter = Converter()
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
_converter.register_unstructure_hook(dt.datetime, dt.datetime.isoformat)
_converter.register_structure_hook(dt.datetime, lambda text, _: dt.datetime.fromisoformat(text))
_converter.register_unstructure_hook(dt.date, dt.date.isoformat)
_converter.register_structure_hook(dt.date, lambda text, _: dt.date.fromisoformat(text))


def dump(value: DataclassInstance) -> dict[str, Any]:
    """Make the JSON form of a canonical object."""
    dumped: dict[str, Any] = _converter.unstructure(value)
    return dumped


def load(stored: dict[str, Any], kind: type[Object]) -> Object:
    """Make the canonical object of a stored JSON form."""
    return _converter.structure(stored, kind)


def columns(value: DataclassInstance) -> dict[str, Any]:
    """Make the column values of a flat canonical object."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
