"""OData on the wire: addresses and literals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping


def literal(value: str) -> str:
    """Write a text as an OData literal: quotes doubled, nothing trimmed."""
    return "'" + value.replace("'", "''") + "'"


def key_address(entity_set: str, key: Mapping[str, str]) -> str:
    """Return the address of one entity, relative to `/data/`, percent-encoded, in any company."""
    parts = ",".join(f"{name}={quote(literal(value), safe='')}" for name, value in key.items())
    return f"{entity_set}({parts})?cross-company=true"


def filter_address(entity_set: str, fields: Mapping[str, str]) -> str:
    """Return the address of all entities whose fields equal the given ones, in any company."""
    terms = " and ".join(f"{name} eq {literal(value)}" for name, value in fields.items())
    return f"{entity_set}?$filter={quote(terms, safe='')}&cross-company=true"


def set_address(entity_set: str) -> str:
    """Return the address to which new entities of a set are posted."""
    return f"{entity_set}?cross-company=true"
