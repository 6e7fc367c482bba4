from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from syncworkers.storm.inflict import Struck
from syncworkers.storm.report import Report, write
from syncworkers.storm.schedule import Blow, schedule
from syncworkers.storm.timeline import draw
from syncworkers.storm.watch import Recovery, Sample, Watch, recoveries

if TYPE_CHECKING:
    from pathlib import Path


def sample(at: float, erp: int, store: int) -> Sample:
    return Sample(at=at, placed=int(at), counts={"d365-main": erp, "shopify-us": store})


def struck(at: float, blow: Blow = Blow.KILL_WORKER) -> Struck:
    return Struck(blow=blow, at=at, mended=at)


SAMPLES = [sample(0, 0, 0), sample(1, 5, 2), sample(2, 5, 2), sample(3, 9, 2), sample(4, 9, 4)]


def test_work_has_recovered_once_it_reaches_every_partner_again() -> None:
    [found] = recoveries([struck(1.5)], SAMPLES)

    assert (found.blow, found.seconds) == ("worker.kill", 2.5)


def test_what_never_grew_again_has_no_recovery() -> None:
    assert [one.seconds for one in recoveries([struck(3.5)], SAMPLES)] == [None]


def report(**changes: Any) -> Report:
    result = {"ok": True, "orders": 9, "lost": 0, "duplicated": 0, "mismatched": 0}
    facts: dict[str, Any] = {
        "seed": 7,
        "minutes": 1.0,
        "kills": 1,
        "checks": 3,
        "wrong": {},
        "struck": [struck(1.5), struck(3.0, Blow.FLUSH_REDIS)],
        "recoveries": [
            Recovery(blow="worker.kill", at=1.5, seconds=2.5),
            Recovery(blow="redis.flush", at=3.0, seconds=None),
        ],
        "schedule": schedule(7, ("shopify-us",)),
        "result": result,
    }
    return Report(**facts | changes)


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({}, True),
        ({"result": {"ok": False}}, False),
        ({"wrong": {"1001: twice": 20.0}}, False),
        ({"recoveries": [Recovery(blow="redis.kill", at=1.0, seconds=61.0)]}, False),
    ],
)
def test_a_storm_is_well_only_if_books_looks_and_recoveries_are(
    changes: dict[str, Any], ok: bool
) -> None:
    assert report(**changes).ok is ok


def test_the_report_is_left_for_scripts_and_for_people(tmp_path: Path) -> None:
    page = write(report(wrong={"1001: twice": 20.0}), SAMPLES, tmp_path / "7").read_text()

    told = json.loads((tmp_path / "7" / "report.json").read_text())
    assert (told["ok"], told["seed"], told["slowest_recovery"]) == (False, 7, 2.5)
    assert told["schedule"][0].keys() == {"at", "blow", "partner"}
    assert "NOT WELL" in page
    assert "| worker.kill | 1 | 2.5 |" in page
    assert "seen at 20 s: 1001: twice" in page
    assert 'make chaos ARGS="--minutes 1 --seed 7"' in page


def test_the_picture_has_a_curve_for_each_count_and_a_line_for_each_blow() -> None:
    picture = ET.fromstring(draw(SAMPLES, report().struck))  # noqa: S314 - it is ours

    tags = [one.tag.rpartition("}")[2] for one in picture]
    assert tags.count("polyline") == 3
    assert tags.count("line") == 2


def test_only_what_is_wrong_in_two_looks_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.storm.watch.EVERY", 0.01)
    monkeypatch.setattr("syncworkers.storm.watch.CHECK_EVERY", 0.02)
    looks: list[Sequence[str]] = [["passing"], ["lasting"], ["lasting"]]

    watch = Watch(
        progress=lambda: (1, {"d365-main": 1}),
        never_right=lambda: looks.pop(0) if looks else [],
    )
    with watch:
        while watch.checks < 4:
            threading.Event().wait(0.01)

    assert list(watch.wrong) == ["lasting"]
    assert watch.samples
