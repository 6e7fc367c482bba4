"""What `config/units.toml` may say, and what is wrong with what it must not."""

from __future__ import annotations

import datetime as dt
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from syncworkers.policy.load import PolicyError, load_policy
from syncworkers.supervisor.environment import NOWHERE, sandbox_environment

ROOT = Path(__file__).resolve().parents[2]
ENV = sandbox_environment(NOWHERE)
CASE = 'from = "case"\nto = "each"\nsince = "2026-01-01"\n'

TRIANGLE = f"""
[[conversions]]
{CASE}factor = 12
[[conversions]]
from = "pallet"
to = "case"
factor = 40
since = "2026-01-01"
[[conversions]]
from = "pallet"
to = "each"
factor = 500
since = "2026-02-01"
"""
"""A pallet is 480 by its cases, and 500 by itself."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def mistakes(config: Path, text: str) -> str:
    (config / "units.toml").write_text(text)
    with pytest.raises(PolicyError) as wrong:
        load_policy(config, "production", ENV)
    return str(wrong.value)


def test_what_stands_there_counts_and_the_examples_behind_the_sign_are_right(config: Path) -> None:
    lines = (config / "units.toml").read_text().splitlines()
    first = next(n for n, text in enumerate(lines) if text.startswith("divisible"))
    shown = "\n".join(text.removeprefix("# ") for text in lines[first:])
    (config / "units.toml").write_text(shown)

    units = load_policy(config, "production", ENV).units

    today = dt.date(2026, 11, 24)
    assert units.sold_by("FILTER-CASE") == "case"
    assert units.factor("FILTER-CASE", "shipbob-west", "case", "each", today) == 12
    assert units.factor("FILTER-CASE", "shipbob-west", "each", "case", today) == Fraction(1, 12)
    assert units.factor("FILTER-CASE", "shipbob-east", "case", "each", today) is None
    made_of = units.kit("TEA-TIME", today)
    assert made_of is not None
    assert [(one.sku, one.quantity) for one in made_of.components] == [
        ("MUG-BLU-01", 2),
        ("TEA-ASSAM-250", 1),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"[[conversions]]\n{CASE}factor = 0.1",
            'conversions.0.factor: must be above zero and exact: 12, "0.25" or "1/3"',
        ),
        (f"[[conversions]]\n{CASE}factor = 0", "conversions.0.factor: must be above zero"),
        (f'[[conversions]]\n{CASE}factor = "1/0"', "conversions.0.factor: must be above zero"),
        (
            '[[conversions]]\nfrom = "case"\nto = "case"\nsince = "2026-01-01"\nfactor = 1',
            "conversions.0.to: must be another unit than from",
        ),
        (
            f"[[conversions]]\n{CASE}factor = 12\n[[conversions]]\n{CASE}factor = 10",
            "conversions: case and each since 2026-01-01 stand 2 times",
        ),
        (
            TRIANGLE,
            "on 2026-02-01, and",
        ),
        ('[sold]\n"MUG-BLUE" = "case"', "sold: no store has SKU MUG-BLUE (did you mean MUG-BLU-01"),
        (
            '[kept.shipbob-wets]\n"MUG-BLU-01" = "case"',
            "kept: there is no warehouse shipbob-wets (did you mean shipbob-west?)",
        ),
        (
            '[kept.shipbob-west]\n"MUG-BLU-02" = "case"',
            "kept.shipbob-west: it does not keep SKU MUG-BLU-02 (did you mean MUG-BLU-01",
        ),
        ('[symbols.d365]\ncase = "cs"', "symbols: there is no ERP d365 (did you mean d365-main?)"),
        (
            '[symbols.d365-main]\ncase = "much too long"',
            "symbols.d365-main.value.case.value: Length must be between 1 and 10.",
        ),
        ("wiegh = 3", "units.toml: wiegh: Unknown field"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(config: Path, text: str, told: str) -> None:
    assert told in mistakes(config, text)


def kit(components: str, sku: str = "KETTLE-08") -> str:
    return f'[[kits]]\nsku = "{sku}"\nsince = "2026-01-01"\ncomponents = [{components}]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (kit(""), "kits.0.components: Shorter than minimum length 1."),
        (kit('{ sku = "MUG-BLU-01", quantity = 1 }', "KETTEL"), "kits: no store has SKU KETTEL"),
        (
            kit('{ sku = "MUG-BLUE", quantity = 1 }'),
            "kits: KETTLE-08: no warehouse keeps SKU MUG-BLUE (did you mean MUG-BLU-01",
        ),
        (
            kit('{ sku = "MUG-BLU-01", quantity = 1 }, { sku = "MUG-BLU-01", quantity = 2 }'),
            "kits: KETTLE-08: MUG-BLU-01 stands 2 times among its components",
        ),
        (
            kit('{ sku = "KETTLE-08", quantity = 1 }'),
            "kits: KETTLE-08: KETTLE-08 is a kit itself: write down what that is made of",
        ),
        (
            kit('{ sku = "MUG-BLU-01", quantity = "1/2" }'),
            "kits: KETTLE-08: 1/2 each of MUG-BLU-01: name each in divisible, or count it by a",
        ),
        (
            2 * kit('{ sku = "MUG-BLU-01", quantity = 1 }'),
            "kits: KETTLE-08 since 2026-01-01 stands 2 times",
        ),
    ],
)
def test_a_wrong_kit_is_named(config: Path, text: str, told: str) -> None:
    assert told in mistakes(config, text)
