from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from syncworkers.connectors.exact_json import dump_json, load_json


def test_numbers_keep_every_digit_both_ways() -> None:
    value = {"a": Decimal("10.10"), "b": [Decimal("1E+2"), 3, None, 'q"\n'], "c": True}

    text = dump_json(MappingProxyType(value))

    assert text == '{"a":10.10,"b":[100,3,null,"q\\"\\n"],"c":true}'
    assert load_json(text) == value
    assert load_json(b'{"a":0.1000000000000000055}') == {"a": Decimal("0.1000000000000000055")}


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("-Infinity"), float("nan"), float("inf")]
)
def test_what_is_no_finite_number_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no number|not JSON compliant"):
        dump_json({"a": [value]})


def test_a_read_answer_is_written_again_without_endless_nesting() -> None:
    text = b'{"a":[0.10,2,true,null,"\xc3\xa9"],"b":{"c":1.5E+2}}'

    assert dump_json(load_json(text)) == '{"a":[0.10,2,true,null,"\\u00e9"],"b":{"c":150}}'
    assert dump_json(load_json("[" * 60 + "]" * 60)) == "[" * 50 + "null" + "]" * 50


@pytest.mark.parametrize(
    "text",
    ["1e101", "1e-999999999", "1e99999999999999999999", "NaN", "-Infinity", "[" * 100_000],
)
def test_numbers_and_nesting_beyond_reason_are_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"beyond reason|is no number"):
        load_json(text)


@pytest.mark.parametrize("text", [b"{", b"", b"\xff"])
def test_what_is_no_json_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them will do
        load_json(text)
