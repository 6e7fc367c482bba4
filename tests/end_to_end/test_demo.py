"""`syncworkers demo` ends well on its own, and says what the stable face promises."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from tests.end_to_end.test_up import COMMAND, ROOT, family

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {
    "orders", "calls_per_order", "celery_messages_per_order", "confirmed", "lost", "duplicated",
    "mismatched", "open_cases", "orders_with_cases", "orders_for_people", "faults", "seconds",
    "orders_per_second", "latency_ms", "ok",
}  # fmt: skip


def test_a_demo_audits_itself_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Without faults: CI ends with a demo that has them, and `make demo` is one."""
    env = {**os.environ, "SYNCWORKERS_STATE": str(tmp_path / "state"), "COLUMNS": "200"}
    result = tmp_path / "result.json"

    done = subprocess.run(
        [
            *COMMAND,
            "demo",
            "--orders",
            "12",
            "--seed",
            "3",
            "--faults",
            "none",
            "--json",
            str(result),
        ],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    found = json.loads(result.read_text())
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert found.keys() >= KEYS
    assert (found["ok"], found["orders"], found["confirmed"]) == (True, 12, 12)
    assert found["orders_with_cases"] == found["orders_for_people"]
    assert found["faults"] == {}
    assert "ok: true" in done.stdout
    assert "Faults injected" in done.stdout
    assert "Flower meanwhile" in done.stderr
    assert family(tmp_path / "state") == []
