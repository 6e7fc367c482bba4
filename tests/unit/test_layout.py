"""Guards of the layout: small things that break much."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_alembic_is_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_configuration_is_data_and_never_code() -> None:
    assert list((ROOT / "config").rglob("*.py")) == []


def test_no_secret_stands_in_the_configuration() -> None:
    for file in (ROOT / "config" / "partners").glob("*.toml"):
        connection = tomllib.loads(file.read_text())["connection"]
        for key, value in connection.items():
            if "secret" in key or "token" in key or "password" in key:
                assert isinstance(value, dict), f"{file.name}: {key}"
                assert value.keys() & {"env", "file"}


def test_the_readmes_map_names_every_folder_and_none_that_is_not_there() -> None:
    table = (ROOT / "README.md").read_text().partition("## Map")[2].partition("## ")[0]
    named = re.findall(r"`([\w./<>]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)))
    packages = {path.name for path in (ROOT / "syncworkers").iterdir() if path.is_dir()}

    for name in named:
        plain = name.partition("/<")[0]
        assert (ROOT / plain).exists() or (ROOT / "syncworkers" / plain).exists(), name
    last = {name.partition("/<")[0].rpartition("/")[2] for name in named}
    assert packages - {"__pycache__"} <= last
    assert {"tasks", "mappings", "config", "alembic", "tests", "docs"} <= last


def test_every_test_file_an_adr_names_exists() -> None:
    for adr in (ROOT / "docs" / "adr").glob("*.md"):
        for path in re.findall(r"`(tests/[\w/]+(?:\.py)?)/?`", adr.read_text()):
            assert (ROOT / path).exists(), f"{adr.name}: {path}"


@pytest.mark.parametrize("word", ["utils", "helpers", "manager", "service", "common"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    for package in ("syncworkers", "tasks", "mappings"):
        assert list((ROOT / package).rglob(f"*{word}*.py")) == []


def test_files_stay_below_four_hundred_lines() -> None:
    for package in ("syncworkers", "tasks", "mappings"):
        for file in (ROOT / package).rglob("*.py"):
            assert len(file.read_text().splitlines()) <= 400, file
