"""What a partner file says of documents, and what it must not say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mappings.edi_sftp.profile import read_profile


def test_lists_of_a_profile_are_taken_as_they_are_written() -> None:
    profile = read_profile({"profile": {"sku_qualifiers": ["SK", "VN"], "corrections": []}})

    assert profile.sku_qualifiers == ("SK", "VN")
    assert profile.corrections == ()


LIST = 'must be a list of texts: write it as sku_qualifiers = ["VN", "SK", "BP", "IN"]'
NONE = 'names none: give at least one, or leave it out for ["VN", "SK", "BP", "IN"]'


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sku_qualifiers", "VN", f"sku_qualifiers = 'VN' {LIST}"),
        ("sku_qualifiers", ["VN", ""], f"sku_qualifiers = ['VN', ''] {LIST}"),
        ("sku_qualifiers", [], f"sku_qualifiers = [] {NONE}"),
        (
            "corrections",
            "X",
            "corrections = 'X' must be a list of texts: write it as corrections = [\"X\"]",
        ),
    ],
)
def test_a_list_that_is_none_is_refused_at_the_start(key: str, value: Any, message: str) -> None:
    told = re.escape(f"[connection.profile] {message}")

    with pytest.raises(ValueError, match=f"^{told}$"):
        read_profile({"profile": {key: value}})
