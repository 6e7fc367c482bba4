"""What all mappings share: one JSON document in, checked fields and contract drift out."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MONEY_LIMIT = Decimal(10) ** 12
MONEY_PLACES = 6
DRIFT_LIMIT = 100
"""More unknown paths than this in one message are not told."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_IDENTIFIER = re.compile(r"(?:gid://shopify/\w+/)?([1-9]\d{0,19})(?:\?.*)?")


class PartnerSchema(Schema):
    """A part of a partner's payload; attributes are our names, `data_key`s theirs.

    `ignored` names keys that are known and not used; every other key is drift, which never fails a
    message.
    """

    ignored: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        """New keys pass."""

        unknown = EXCLUDE


def load_document(schema: PartnerSchema, body: bytes | str) -> tuple[dict[str, Any], list[str]]:
    """Read a JSON object; return its fields and the paths nobody knows.

    Raises `RejectedError`, and nothing else, whatever the bytes are.
    """
    try:
        document = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _rejected("", "payload.unreadable", f"no JSON that can be read: {error}") from None
    if not isinstance(document, dict):
        raise _rejected("", "payload.unreadable", "a JSON object is expected")
    try:
        loaded = schema.load(document)
    except ValidationError as error:
        violations = [
            Violation(path=path, code="payload.invalid", message=clean(message))
            for path, message in _flat(error.messages)
        ]
        told = "; ".join(f"{one.path}: {one.message}" for one in violations[:5])
        raise RejectedError(f"the payload is wrong: {told}", violations=violations) from None
    return loaded, sorted(set(_drift(schema, document, "")))[:DRIFT_LIMIT]


def clean(text: str) -> str:
    """Leave out what no database or partner can store: NUL and lone surrogates."""
    return _UNSTORABLE.sub("", text)


def _no_number(name: str) -> None:
    message = f"{name} is no number"
    raise ValueError(message)


def _rejected(path: str, code: str, message: str) -> RejectedError:
    violation = Violation(path=path, code=code, message=clean(message))
    return RejectedError(violation.message, violations=[violation])


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten marshmallow's messages to `line_items[0].sku`."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, _joined(path, key))
    elif isinstance(messages, list):
        yield path, " ".join(str(message) for message in messages)
    else:
        yield path, str(messages)


def _joined(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _drift(schema: Schema, document: Mapping[str, Any], path: str) -> Iterator[str]:
    known, deep = _keys(schema)
    for key in document.keys() - known:
        yield _joined(path, clean(key)[:100])
    for key, field in deep.items():
        if value := document.get(key):
            yield from _drift_inside(field, value, _joined(path, key))


@cache
def _keys(schema: Schema) -> tuple[frozenset[str], dict[str, fields.Field[Any]]]:
    """Return all keys that a schema knows, and the fields of those that have something inside."""
    read = {field.data_key or name: field for name, field in schema.load_fields.items()}
    ignored: frozenset[str] = getattr(schema, "ignored", frozenset())
    deep: dict[str, fields.Field[Any]] = {
        key: one for key, one in read.items() if isinstance(one, fields.List | fields.Nested)
    }
    return ignored | read.keys(), deep


def _drift_inside(field: fields.Field[Any], value: Any, path: str) -> Iterator[str]:
    if isinstance(field, Nodes) and isinstance(value, dict):
        value, path = value.get("nodes"), f"{path}.nodes"
    if isinstance(field, fields.List):
        for one in value if isinstance(value, list) else ():
            yield from _drift_inside(field.inner, one, f"{path}[]")
    elif isinstance(field, fields.Nested) and isinstance(value, dict):
        yield from _drift(field.schema, value, path)


class Text(fields.String):
    """A text; null is empty, and what cannot be stored is left out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, load_default="", **options)

    def deserialize(self, value: Any, *args: Any, **others: Any) -> str:
        """Return the text; most are plain, and are not asked more than that."""
        if type(value) is str and value.isascii() and "\0" not in value and not self.validators:
            return value
        return "" if value is None else clean(super().deserialize(value, *args, **others) or "")


class Money(fields.Decimal):
    """An amount of a size that somebody could owe, with no more places than any currency has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_nan=False, validate=_plausible, **options)


def _plausible(amount: Decimal) -> None:
    exponent = amount.as_tuple().exponent
    if abs(amount) >= MONEY_LIMIT or not isinstance(exponent, int) or exponent < -MONEY_PLACES:
        raise ValidationError("No plausible amount of money.")


class Bag(Money):
    """An amount in the shop's own currency, out of Shopify's pair of shop and customer money."""

    def __init__(self, shop_money: str, **options: Any) -> None:
        super().__init__(**options)
        self._shop_money = shop_money

    def _deserialize(self, value: Any, *args: Any, **others: Any) -> Any:
        inner = value.get(self._shop_money) if isinstance(value, dict) else None
        amount = inner.get("amount") if isinstance(inner, dict) else None
        if amount is None:
            raise ValidationError(f"Not a pair of amounts with {self._shop_money}.")
        return super()._deserialize(amount, *args, **others)


class Identifier(fields.Field[str]):
    """A partner's permanent id as text: a number, or the number at the end of a gid."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        match = None if isinstance(value, bool) else _IDENTIFIER.fullmatch(str(value))
        if match is None or not isinstance(value, int | str):
            raise ValidationError("Not an id.")
        return match[1]


class Instant(fields.AwareDateTime):
    """A time with its zone, as aware UTC."""

    def _deserialize(self, value: Any, *args: Any, **others: Any) -> dt.datetime:
        time = super()._deserialize(value, *args, **others)
        try:
            return time.astimezone(dt.UTC)
        except OverflowError:
            raise ValidationError("Not a valid datetime.") from None


class Nodes(fields.List[Any]):
    """The nodes of a GraphQL connection."""

    def _deserialize(self, value: Any, *args: Any, **others: Any) -> list[Any]:
        if not isinstance(value, dict):
            raise ValidationError("Not a connection.")
        return super()._deserialize(value.get("nodes"), *args, **others)


class Quantity(fields.Integer):
    """A number of sales units."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=0, max=10**7), **options)


class Currency(fields.String):
    """An ISO 4217 code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[A-Z]{3}\Z"), **options)
