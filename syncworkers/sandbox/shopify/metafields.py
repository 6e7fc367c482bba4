"""Which metafields Shopify takes: the rules of `metafieldsSet`.

The wording about a value that is too long is unverified.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOGETHER = 25
LIST_ITEMS = 128
JSON_BYTES = 128 * 1024
TEXT_BYTES = 64 * 1024
_LENGTHS = {"namespace": (3, 255), "key": (2, 64)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a metafield was not set."""

    field: tuple[str, ...]
    message: str
    code: str


def refusals(metafields: Sequence[Mapping[str, Any]], known: Sequence[bool]) -> list[Refusal]:
    """Say what is wrong with them; `known` says which owners there are."""
    if len(metafields) > TOGETHER:
        text = f"Exceeded the maximum metafields input limit of {TOGETHER}."
        return [Refusal(field=("metafields",), message=text, code="LESS_THAN_OR_EQUAL_TO")]
    return [
        Refusal(field=("metafields", str(place), name), message=message, code=code)
        for place, one in enumerate(metafields)
        for name, message, code in _wrong(one, is_known=known[place])
    ]


def _wrong(one: Mapping[str, Any], *, is_known: bool) -> Iterator[tuple[str, str, str]]:
    if not is_known:
        yield "ownerId", "Owner does not exist.", "INVALID"
        return
    for name, (least, most) in _LENGTHS.items():
        given, title = one.get(name) or "", name.capitalize()
        if len(given) < least:
            yield name, f"{title} is too short (minimum is {least} characters)", "TOO_SHORT"
        elif len(given) > most:
            yield name, f"{title} is too long (maximum is {most} characters)", "TOO_LONG"
    if not one.get("type"):
        yield "type", "Type can't be blank", "BLANK"
    elif message := _wrong_value(one["type"], one["value"]):
        yield "value", message, "INVALID_VALUE"


def _wrong_value(kind: str, value: str) -> str:
    if not kind.startswith("list."):
        return _wrong_scalar(kind, value)
    items = _loaded(value)
    if not isinstance(items, list):
        return "Value must be a JSON array."
    if len(items) > LIST_ITEMS:
        return f"Value has more than {LIST_ITEMS} elements."
    inner = kind.removeprefix("list.")
    wrong = (_wrong_scalar(inner, one) for one in items)
    return next((message for message in wrong if message), "")


def _wrong_scalar(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        return "Value is invalid."
    if len(value.encode()) > (JSON_BYTES if kind == "json" else TEXT_BYTES):
        return "Value is too long."
    if kind == "json":
        return "" if _loaded(value) is not None else "Value is invalid JSON."
    if not value.strip():
        return "Value can't be blank."
    return "Value must be a single line text string." if "\n" in value or "\r" in value else ""


def _loaded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None
