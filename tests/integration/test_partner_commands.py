"""The commands of a cutover, as a person or a script calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from syncworkers.cli.main import cli
from tests.integration.earlier import Earlier
from tests.integration.journeys import number
from tests.integration.world import ERP, WAREHOUSE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.world import World


def run(*words: str) -> tuple[int, Any]:
    """Return the exit code and what was printed, read as JSON where it is."""
    answer = CliRunner().invoke(cli, list(words))
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    try:
        return answer.exit_code, json.loads(answer.stdout)
    except ValueError:
        return answer.exit_code, answer.output


def test_a_cutover_by_commands(world: World, tmp_path: Path) -> None:
    for partner in (ERP, WAREHOUSE):
        code, said = run("partners", "mode", partner, "observe", "--actor", "ann", "--json")
        assert (code, said["mode"], said["changed"]) == (0, "observe", True)
    order = world.release()
    earlier = Earlier(world)
    earlier.book(number(order))

    code, listed = run("partners", "list", "--json")
    modes = {one["partner"]: (one["mode"], one["planned"]) for one in listed}
    assert code == 0
    assert (modes[ERP], modes[WAREHOUSE]) == (("observe", 1), ("observe", 1))

    code, traced = run("trace", number(order))
    assert "is planned, and d365-main is only observed" in traced

    file = tmp_path / "links.csv"
    code, reports = run("observe", "report", "--json", "--links", str(file))
    assert code == 1  # the warehouse lacks it
    found = {one["partner"]: [each["finding"] for each in one["differ"]] for one in reports}
    assert found == {ERP: [], WAREHOUSE: ["missing"]}

    code, said = run("partners", "mode", ERP, "live", "--actor", "ann")
    assert code == 1
    assert f"SO-{number(order)}" in said

    code, said = run("links", "import", str(file), "--actor", "ann", "--json")
    assert (code, said["linked"], said["written"]) == (0, 1, True)
    for partner in (ERP, WAREHOUSE):
        code, said = run("partners", "mode", partner, "live", "--actor", "ann", "--json")
        assert (code, said["changed"]) == (0, True)
    world.settle()
    assert [one["number"] for one in world.booked()] == [f"SO-{number(order)}"]
    assert len(world.parts()) == 1
    assert run("doctor", "--ledger", "--json")[1]["ledger"]["findings"] == []


def test_pausing_holds_back_and_resuming_sends(world: World) -> None:
    assert run("partners", "pause", ERP, "--reason", "stocktaking", "--actor", "ann")[0] == 0
    world.webhook("orders/create", world.order())
    world.process()
    world.deliver()
    code, listed = run("partners", "list", "--json")

    assert world.booked() == []
    assert code == 1
    assert {one["partner"]: one["paused"] for one in listed}[ERP] == "stocktaking"
    assert run("partners", "resume", ERP, "--reason", "done", "--actor", "ann")[0] == 0
    world.settle()
    assert len(world.booked()) == 1
    acts = world.rows("SELECT actor, act, detail->>'reason' FROM audit ORDER BY id")
    assert acts == [
        ("ann", "partners.pause", "stocktaking"),
        ("ann", "partners.resume", "done"),
    ]


def test_check_exits_0_only_when_all_is_well(world: World) -> None:
    code, said = run("partners", "check", ERP, "--json")
    assert (code, said["ok"]) == (0, True)

    world.erp.plan.switch({"spell": {"reset": 30.0}})
    code, said = run("partners", "check", ERP)
    assert code == 1
    assert "FAILED reachability" in said


def test_production_is_not_certified_by_accident(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCWORKERS_ENV", "production")

    code, said = run("partners", "certify", ERP)

    assert code == 1
    assert "--yes" in said
    assert world.rows("SELECT * FROM certification") == []


@pytest.mark.parametrize(
    "words",
    [
        ("partners", "mode", "nobody", "observe"),
        ("partners", "check", "nobody"),
        ("partners", "pause", "nobody"),
        ("observe", "report", "--partner", "nobody"),
    ],
)
def test_an_unknown_partner_is_said_without_a_traceback(world: World, *, words: Any) -> None:
    code, said = run(*words, *(("--actor", "ann") if words[0] == "partners" else ()))

    assert code == 1
    assert "there is no partner 'nobody'" in said.replace("\n", " ")
