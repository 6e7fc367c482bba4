from __future__ import annotations

import pytest
from click.testing import CliRunner

from syncworkers.cli.main import cli
from syncworkers.cli.recover import recover


@pytest.mark.parametrize(
    ("since", "told"), [("2026-11-25T03:10", "has no time zone"), ("yesterday", "is no time")]
)
def test_a_moment_that_is_none_is_refused_with_an_example(since: str, told: str) -> None:
    answer = CliRunner().invoke(recover, ["--since", since, "--actor", "ann"])

    assert answer.exit_code == 2
    assert told in answer.output
    assert "2026-11-25T03:10:00Z" in answer.output


def test_the_command_is_one_of_ours() -> None:
    assert "recover" in CliRunner().invoke(cli, ["--help"]).output
