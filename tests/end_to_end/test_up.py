"""`syncworkers up` as an operator uses it: real processes, signals, a browser's view of Flower."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from syncworkers.supervisor.environment import _free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = [sys.executable, "-c", "from syncworkers.cli.main import main; main()"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Up:
    """A running fleet and what it said."""

    process: subprocess.Popen[str]
    env: dict[str, str]
    state: Path
    port: int
    lines: list[str]

    def address(self, name: str) -> str:
        [found] = [line for line in self.lines if line.startswith(name)]
        return re.findall(r"http://127\.0\.0\.1:\d+", found)[0]

    def run(self, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def until(true: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        threading.Event().wait(0.1)
    message = "it did not come about"
    raise AssertionError(message)


def family(state: Path) -> list[psutil.Process]:
    """Return every process that was told of this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SYNCWORKERS_STATE") == str(state):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    state = tmp_path_factory.mktemp("state")
    port = _free_port(0, set())
    env = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    env |= {"SYNCWORKERS_STATE": str(state), "PORT": str(port), "COLUMNS": "200"}
    process = subprocess.Popen(
        [*COMMAND, "up"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    started = Up(process, env, state, port, [])

    def listen() -> None:
        for line in process.stdout or ():
            started.lines.append(line.rstrip())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        until(lambda: any("Ctrl-C stops everything" in line for line in started.lines), 90)
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        listener.join(5)
        if process.stdout is not None:
            process.stdout.close()


def test_every_process_has_a_line_that_says_where_to_look(up: Up) -> None:
    for name in (
        "web", "worker-flow", "worker-inventory", "worker-batch", "beat", "flower",
        "sandbox-shopify-us", "sandbox-d365-main", "postgres", "redis",
    ):  # fmt: skip
        assert [line for line in up.lines if line.startswith(name)], name
    assert not [line for line in up.lines if "silent" in line]


def test_the_gateway_is_alive_and_ready(up: Up) -> None:
    gateway = f"http://127.0.0.1:{up.port}"

    assert requests.get(f"{gateway}/healthz", timeout=5).status_code == 200
    assert until(lambda: requests.get(f"{gateway}/readyz", timeout=5).status_code == 200, 20)
    assert "syncworkers" in requests.get(f"{gateway}/metrics", timeout=5).text
    assert requests.get(f"{gateway}/api/openapi.json", timeout=5).json()["openapi"]


def test_an_order_goes_the_whole_way_and_can_be_traced(up: Up) -> None:
    shop = up.address("sandbox-shopify-us")
    plan = {"count": 3, "cancel_share": 0, "readdress_share": 0}

    requests.post(f"{shop}/_sandbox/orders", json=plan, timeout=5)

    steps = {"received orders/create", "accepted v1", "linked", "shipped", "invoiced"}

    def told() -> dict[str, Any] | None:
        traced = up.run("trace", "1001", "--json")
        stories = json.loads(traced.stdout) if traced.returncode == 0 else []
        events = {event["what"] for story in stories for event in story["events"]}
        return stories[0] if steps <= events else None

    progress = f"{shop}/_sandbox/progress"
    until(lambda: requests.get(progress, timeout=5).json()["noted"] >= 2, 60)
    story = until(told, 60)
    assert story is not None
    [part] = story["tree"]["children"]
    assert (part["kind"], part["children"][0]["kind"]) == ("part", "shipment")
    printed = up.run("trace", "1001").stdout
    assert "order 1001" in printed
    assert "└── part shopify-us-" in printed
    assert up.run("trace", "no-such-order").returncode == 1


def test_the_doctor_finds_all_well_and_proves_the_ledger(up: Up) -> None:
    done = up.run("doctor", "--ledger", "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert (found["ok"], found["ledger"]["findings"]) == (True, [])


def test_a_case_is_listed_shown_and_retried_under_a_name(up: Up) -> None:
    shop = up.address("sandbox-shopify-us")
    books = requests.get(f"{shop}/_sandbox/books", timeout=5).json()
    assert books["orders"]
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    stranger = {
        "id": 77, "name": "#77", "created_at": now, "updated_at": now, "currency": "USD",
        "total_price": "1.00", "line_items": [
            {"id": 1, "sku": "NOBODY", "title": "?", "quantity": 1, "price": "1.00"}],
    }  # fmt: skip
    requests.post(f"{shop}/_sandbox/orders/raw?topic=orders/create", json=stranger, timeout=5)

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(up.run("exceptions", "list", "--json").stdout)
        return found

    [case] = until(listed, 30)
    shown = json.loads(up.run("exceptions", "show", str(case["id"]), "--json").stdout)
    retried = up.run("exceptions", "retry", str(case["id"]), "--actor", "ann", "--json")

    assert "item.unmapped" in {one["code"] for one in shown["violations"]}
    assert "NOBODY" in shown["payload"]
    assert json.loads(retried.stdout)[0]["retried"] is True
    assert "NOBODY" in up.run("exceptions", "show", str(case["id"])).stdout
    assert up.run("exceptions", "retry", "4711").returncode == 1
    assert until(lambda: [one for one in listed() if one["id"] != case["id"]], 30)


def test_a_second_up_in_the_same_place_says_so_and_breaks_nothing(up: Up) -> None:
    second = up.run("up")

    assert second.returncode == 2
    assert f"process {up.process.pid}" in second.stderr
    assert requests.get(f"http://127.0.0.1:{up.port}/healthz", timeout=5).status_code == 200


def test_flower_asks_for_a_password_and_lets_nobody_change_anything(up: Up) -> None:
    flower = up.address("flower")
    login = ("syncworkers", (up.state / "flower-password").read_text().strip())

    until(lambda: requests.get(flower, auth=login, timeout=5).status_code == 200, 30)
    assert requests.get(flower, timeout=5).status_code == 401
    assert requests.get(f"{flower}/api/workers", auth=login, timeout=10).status_code in {200, 401}
    for act in (
        "worker/shutdown/flow@x",
        "worker/pool/grow/flow@x",
        "task/async-apply/orders.poll",
    ):
        answer = requests.post(f"{flower}/api/{act}", json={"args": ["x"]}, auth=login, timeout=5)
        assert answer.status_code in {401, 403}, act
    assert "flow@" in until(
        lambda: requests.get(f"{flower}/workers?json=1", auth=login, timeout=5).text, 20
    )
    assert (up.state / "flower-password").stat().st_mode & 0o077 == 0


def test_a_process_that_dies_is_named_and_restarted(up: Up) -> None:
    [beat] = [one for one in family(up.state) if one.cmdline()[-1:] == ["beat"]]

    beat.kill()

    until(lambda: [line for line in up.lines if "beat died (killed by SIGKILL)" in line], 10)
    until(lambda: [one for one in family(up.state) if one.cmdline()[-1:] == ["beat"]] or None, 20)


def test_sigterm_stops_everything_and_leaves_nothing_running(up: Up) -> None:
    assert len(family(up.state)) >= 10

    up.process.send_signal(signal.SIGTERM)

    assert up.process.wait(40) == 0
    until(lambda: not family(up.state), 5)
    assert "stopped; nothing is left running" in up.lines
