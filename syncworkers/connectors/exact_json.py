"""JSON on the wire: numbers keep every digit, and nothing in it surprises us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

LEVELS = 50
"""No partner's object is nested deeper."""
MAGNITUDE = 100
"""No number of a partner has more places before or behind its point."""

_text = json.encoder.encode_basestring_ascii


def dump_json(value: Any, levels: int = LEVELS) -> str:
    """Write JSON; a Decimal becomes a number with exactly its digits.

    What is nested beyond reason is left out. Raises `ValueError` for what is no finite number.
    """
    # The kinds that payloads consist of come first: an encoder is not asked for each of them.
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is not dict and not isinstance(value, Mapping | list | tuple):
        return _scalar(value)
    if not levels:
        return "null"
    if kind is dict or isinstance(value, Mapping):
        inner = [f"{_text(str(k))}:{dump_json(v, levels - 1)}" for k, v in value.items()]
        return f"{{{','.join(inner)}}}"
    return f"[{','.join([dump_json(one, levels - 1) for one in value])}]"


def _scalar(value: Any) -> str:
    if not isinstance(value, Decimal):
        return json.dumps(value, allow_nan=False)
    if not value.is_finite():
        _no_number(str(value))
    return format(value, "f")


def load_json(body: bytes | str) -> Any:
    """Read JSON; numbers with a fraction become Decimal. Raises `ValueError`."""
    try:
        return json.loads(body, parse_float=_number, parse_constant=_no_number)
    except (ArithmeticError, RecursionError):
        raise ValueError("JSON beyond reason") from None


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAGNITUDE:
        raise ValueError("a number beyond reason")
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
