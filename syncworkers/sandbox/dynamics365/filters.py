"""The subset of `$filter` that F&O knows: eq ne gt ge lt le, and, or, parentheses, instants.

`in`, `has` and unqualified enum values are refused, as there.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.sandbox.dynamics365.tables import Table

    Record = dict[str, Any]
    Test = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<enum>[A-Za-z_.]+)'(?P<symbol>[^']*)'|'(?P<text>(?:[^']|'')*)'"
    r"|(?P<instant>\d{4}-\d\d-\d\dT[\d:.]+Z)"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<word>[A-Za-z_][\w]*)|(?P<mark>[()]))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
ENUMS = frozenset({"SalesOrderStatus", "SalesOrderProcessingStatus", "IsSalesProcessingStopped"})
CASELESS = frozenset({"dataAreaId", "LegalEntityId"})


class FilterError(ValueError):
    """The filter is not one that F&O takes."""


def compile_filter(text: str) -> Test:
    """Make a test of a `$filter`. Raises `FilterError`."""
    parser = _Parser(text)
    test = parser.either()
    if parser.peek() is not None:
        raise FilterError(f"unexpected {parser.peek()} in the filter")
    return test


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, Any]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise FilterError(f"cannot read the filter at {text[place : place + 20]!r}")
            self._tokens.append(_token(match))
            place = match.end()
        self._next = 0

    def peek(self) -> tuple[str, Any] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def take(self, kind: str | None = None, value: Any = None) -> Any:
        token = self.peek()
        wrong = token is None or (kind and token[0] != kind)
        if token is None or wrong or (value is not None and token[1] != value):
            raise FilterError(f"expected {value or kind}, found {token}")
        self._next += 1
        return token[1]

    def either(self) -> Test:
        tests = [self.both()]
        while self.peek() == ("word", "or"):
            self.take()
            tests.append(self.both())
        return _one_of(tests) or (lambda record: any(test(record) for test in tests))

    def both(self) -> Test:
        tests = [self.single()]
        while self.peek() == ("word", "and"):
            self.take()
            tests.append(self.single())
        if len(tests) == 1:
            return tests[0]
        if all(isinstance(test, _Equal) for test in tests):
            pairs = [pair for test in tests if isinstance(test, _Equal) for pair in test.pairs]
            return _Equal(tuple(pairs))
        return _Both(tuple(tests))

    def single(self) -> Test:
        if self.peek() == ("mark", "("):
            self.take()
            inside = self.either()
            self.take("mark", ")")
            return inside
        name = self.take("word")
        relation = self.take("word")
        if relation not in COMPARE:
            raise FilterError(f"the operator {relation!r} is not supported")
        token = self.peek()
        wanted = self.take()
        if name in ENUMS and (token is None or token[0] != "enum"):
            raise FilterError(f"{name} is an enum: qualify the value")
        if relation == "eq" and not isinstance(wanted, dt.datetime):
            return _Equal(((name, _plain(name, wanted)),))
        return _test(name, COMPARE[relation], wanted)


@dataclass(frozen=True, slots=True)
class _Equal:
    """Fields that must have these values; kept open, so that many of them become one look-up."""

    pairs: tuple[tuple[str, Any], ...]

    def __call__(self, record: Record) -> bool:
        return all(_value(record, name) == wanted for name, wanted in self.pairs)


@dataclass(frozen=True, slots=True)
class _OneOf:
    """Fields that must have one of these combinations of values: one look-up for fifty of them."""

    fields: tuple[str, ...]
    wanted: frozenset[tuple[Any, ...]]

    def __call__(self, record: Record) -> bool:
        return tuple(_value(record, name) for name in self.fields) in self.wanted


@dataclass(frozen=True, slots=True)
class _Both:
    """Tests that must all hold."""

    tests: tuple[Test, ...]

    def __call__(self, record: Record) -> bool:
        return all(test(record) for test in self.tests)


def select(table: Table, test: Test) -> list[Record]:
    """Return the records that fit, by an index where the filter names values."""
    named = _named(test)
    if named is None:
        return [record for record in table.values() if test(record)]

    def values(record: Record) -> tuple[Any, ...]:
        return tuple(_value(record, name) for name in named.fields)

    return [one for one in table.having(named.fields, named.wanted, values) if test(one)]


def _named(test: Test) -> _OneOf | None:
    """Return the values that a filter names, where it asks for some alone."""
    if isinstance(test, _OneOf):
        return test
    if isinstance(test, _Equal):
        names, values = zip(*test.pairs, strict=True)
        return _OneOf(names, frozenset({values}))
    if isinstance(test, _Both):
        return next((one for one in map(_named, test.tests) if one is not None), None)
    return None


def _one_of(tests: list[Test]) -> Test | None:
    """Return one look-up for alternatives over the same fields: a caller asks for fifty at once."""
    alternatives = [test for test in tests if isinstance(test, _Equal)]
    names = {tuple(name for name, _ in one.pairs) for one in alternatives}
    if len(alternatives) < len(tests) or len(names) != 1:
        return None
    [fields] = names
    wanted = frozenset(tuple(value for _, value in one.pairs) for one in alternatives)
    return _OneOf(fields, wanted)


def _value(record: Record, name: str) -> Any:
    if name not in record:
        raise FilterError(f"Could not find a property named '{name}'")
    return _plain(name, record[name])


def _plain(name: str, value: Any) -> Any:
    return str(value).lower() if name in CASELESS else value


def _token(match: re.Match[str]) -> tuple[str, Any]:
    if match["enum"]:
        return "enum", match["symbol"]
    if match["text"] is not None:
        return "text", match["text"].replace("''", "'")
    if match["instant"]:
        return "instant", _instant(match["instant"])
    if match["number"]:
        return "number", Decimal(match["number"])
    if match["word"]:
        return "word", match["word"]
    return "mark", match["mark"]


def _test(name: str, compare: Callable[[Any, Any], bool], wanted: Any) -> Test:
    def test(record: Record) -> bool:
        if name not in record:
            raise FilterError(f"Could not find a property named '{name}'")
        value = record[name]
        if name in CASELESS:
            return compare(str(value).lower(), str(wanted).lower())
        try:
            return compare(_instant(value) if isinstance(wanted, dt.datetime) else value, wanted)
        except TypeError:
            raise FilterError(f"{name} cannot be compared with {wanted!r}") from None

    return test


def _instant(text: Any) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(str(text))
    except ValueError:
        raise FilterError(f"{text!r} is no moment") from None
