"""OData on the wire: addresses, literals, and JSON whose numbers keep every digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = 50
"""No entity is nested deeper."""
MAGNITUDE = 100
"""No number of an entity has more places before or behind its point."""


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


def dump_fields(fields: Mapping[str, Any]) -> str:
    """Write flat fields as JSON; a Decimal becomes a number with exactly its digits."""
    return "{" + ",".join(f"{json.dumps(k)}:{_value(v)}" for k, v in fields.items()) + "}"


def _value(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no amount")
        return format(value, "f")
    return json.dumps(value)


def dump_json(value: Any, levels: int = LEVELS) -> str:
    """Write any JSON value; a Decimal becomes a number with exactly its digits.

    What is nested beyond reason is left out.
    """
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict) and levels:
        inner = [f"{json.dumps(str(k))}:{dump_json(v, levels - 1)}" for k, v in value.items()]
        return f"{{{','.join(inner)}}}"
    if isinstance(value, list | tuple) and levels:
        return f"[{','.join([dump_json(one, levels - 1) for one in value])}]"
    return json.dumps(value if levels else None)


def load_fields(body: bytes) -> Any:
    """Read JSON; numbers with a fraction become Decimal. Raises `ValueError`."""
    try:
        return json.loads(body, parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("JSON nested beyond reason") from None


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAGNITUDE:
        raise ValueError("a number beyond reason")
    return number


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
