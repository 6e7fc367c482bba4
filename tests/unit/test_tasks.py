"""The Celery side: names, routes, schedule and addresses, without a broker."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery.exceptions import QueueNotFound
from kombu import Connection

from syncworkers.policy.partners import PartnerPolicy, PollPolicy
from syncworkers.supervisor.environment import NOWHERE
from syncworkers.supervisor.processes import fleet
from tasks import schedule
from tasks.broker import PUBLISHING, WORKING, broker_url
from tasks.queues import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "tasks"
NAMES = {
    "orders.process",
    "orders.deliver",
    "orders.poll",
    "shipments.process",
    "shipments.deliver",
    "shipments.poll",
    "shipments.track",
    "invoices.process",
    "invoices.process_charges",
    "invoices.poll",
    "files.pick_up",
    "files.process",
    "inventory.process",
    "sweep.wake_due",
    "dead_letter.open_cases",
    "maintenance.check_expectations",
    "maintenance.purge",
    "maintenance.audit_subscriptions",
}


@pytest.fixture(scope="module")
def app() -> Iterator[Celery]:
    """The app with all its tasks."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
        loaded = import_module("tasks.celery").app
        loaded.loader.import_default_modules()
        yield loaded


def our_tasks(app: Celery) -> dict[str, Any]:
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_the_tasks_are_these_under_explicit_names(app: Celery) -> None:
    assert set(our_tasks(app)) == NAMES


def test_every_task_names_itself_and_says_at_most_three_things() -> None:
    bodies = {}
    for path in TASKS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "app.task":
                        (name,) = [one.value for one in mark.keywords if one.arg == "name"]
                        bodies[ast.literal_eval(name)] = len(node.body) - 1

    assert set(bodies) == NAMES
    assert {name: size for name, size in bodies.items() if size > 3} == {}


def test_every_task_is_routed_to_the_queue_its_name_begins_with(app: Celery) -> None:
    routed = {
        name: app.amqp.router.route({}, name, args=(), kwargs={})["queue"].name
        for name in our_tasks(app)
    }

    assert routed == {name: name.partition(".")[0] for name in NAMES}
    assert set(routed.values()) <= {queue.value for queue in Queue}


def test_a_task_nobody_routed_is_refused_instead_of_waiting_in_a_queue_nobody_reads(
    app: Celery,
) -> None:
    with pytest.raises(LookupError, match=r"no queue for task 'stray\.task'"):
        app.amqp.router.route({}, "stray.task", args=(), kwargs={})
    with pytest.raises(QueueNotFound):
        app.amqp.router.route({"queue": "celery"}, "orders.process", args=(), kwargs={})
    assert set(app.amqp.queues) == {queue.value for queue in Queue}


def test_messages_are_hints_and_so_are_the_settings(app: Celery) -> None:
    conf = app.conf

    assert conf.task_acks_late is False
    assert conf.task_ignore_result is True
    assert conf.worker_prefetch_multiplier == 1
    assert conf.worker_soft_shutdown_timeout == 30
    assert conf.worker_enable_soft_shutdown_on_idle is True
    assert conf.worker_cancel_long_running_tasks_on_connection_loss is True
    assert conf.broker_connection_retry_on_startup is True
    assert conf.broker_connection_max_retries is None
    assert conf.accept_content == ["json"]
    assert conf.timezone == "UTC"
    assert conf.broker_transport_options == WORKING
    assert not conf.beat_schedule_filename or conf.beat_scheduler == "celery.beat:Scheduler"


def test_the_schedule_asks_for_known_tasks_and_every_message_expires(app: Celery) -> None:
    entries = app.conf.beat_schedule

    assert {name: each["schedule"] for name, each in entries.items()} == {
        "sweep.wake_due": 3.0,
        "dead_letter.open_cases": 30.0,
        "maintenance.check_expectations": 15.0,
        "maintenance.purge": 600.0,
    }
    assert {each["task"] for each in entries.values()} <= NAMES
    assert [
        name for name, each in entries.items() if not 0 < each["options"]["expires"] <= 600
    ] == []


def test_each_polled_partner_has_an_entry_at_its_own_pace() -> None:
    def partner(name: str, poll: PollPolicy | None) -> PartnerPolicy:
        return PartnerPolicy(
            name=name, connector="shopify", role="store", brand="acme", connection={}, poll=poll
        )

    entries = schedule.polls(
        [partner("shopify-us", PollPolicy(every=90.0)), partner("shopify-eu", None)]
    )

    assert entries == {
        "orders.poll:shopify-us": {
            "task": "orders.poll",
            "schedule": 90.0,
            "args": ("shopify-us",),
            "options": {"expires": 90.0},
        }
    }


def test_only_entries_of_whole_minutes_have_a_cron_monitor() -> None:
    entries = {**schedule.SCHEDULE, "orders.poll:a": schedule.entry("orders.poll", 60.0, "a")}

    assert schedule.unmonitored(entries) == [
        "sweep.wake_due",
        "dead_letter.open_cases",
        "maintenance.check_expectations",
    ]


@pytest.mark.parametrize(
    ("redis", "celery"),
    [
        ("redis://10.0.0.1:6379/2", "redis://10.0.0.1:6379/2"),
        ("rediss://:pw@host/0", "rediss://:pw@host/0"),
        ("unix:///run/a b/redis.sock", "redis+socket:///run/a b/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        (
            "unix://me@/run/redis.sock?db=1&password=p%40ss",
            "redis+socket://me:p%40ss@/run/redis.sock?virtual_host=1",
        ),
        ("unix://:p%2Fw@/run/redis.sock", "redis+socket://:p%2Fw@/run/redis.sock?virtual_host=0"),
    ],
)
def test_addresses_of_redis_become_addresses_for_celery(redis: str, celery: str) -> None:
    assert broker_url(redis) == celery


def test_kombu_reads_socket_database_and_password_from_the_address() -> None:
    url = broker_url("unix://me@/run/redis.sock?db=3&password=p%40ss")

    with Connection(url, transport_options=PUBLISHING) as connection:
        transport = connection.transport
        options = transport.Channel._connparams(_Unconnected(connection))

    assert options["path"] == "/run/redis.sock"
    assert (options["db"], options["username"], options["password"]) == (3, "me", "p@ss")
    assert options["socket_timeout"] == 0.5


class _Unconnected:
    """A channel that was never opened: enough to ask how it would connect."""

    def __init__(self, connection: Connection) -> None:
        channel = connection.transport.Channel
        for name in (*channel.from_transport_options, "connection_class"):
            setattr(self, name, PUBLISHING.get(name, getattr(channel, name, None)))
        self.connection = connection.transport
        self.connection.client = connection
        self._filter_tcp_connparams = channel._filter_tcp_connparams.__get__(self)
        self._prepare_virtual_host = channel._prepare_virtual_host.__get__(self)
        self._process_credential_provider = channel._process_credential_provider.__get__(self)


def consumers() -> dict[str, list[str]]:
    """Read the Procfile: queue by queue, the processes that consume it."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        process, _, command = line.partition(":")
        words = shlex.split(command)
        if "worker" not in words:
            continue
        at = next(n for n, word in enumerate(words) if re.fullmatch(r"-Q|--queues(=.*)?", word))
        listed = words[at].partition("=")[2] or words[at + 1]
        for queue in listed.split(","):
            found.setdefault(queue, []).append(process)
    return found


def test_each_queue_is_consumed_by_exactly_the_processes_the_procfile_says() -> None:
    flow, inventory, batch = ["worker-flow"], ["worker-inventory"], ["worker-batch"]

    assert consumers() == {
        Queue.ORDERS: flow,
        Queue.SHIPMENTS: flow,
        Queue.INVOICES: flow,
        Queue.CATALOG: flow,
        Queue.DEAD_LETTER: flow,
        Queue.SWEEP: flow,
        Queue.MAINTENANCE: flow,
        Queue.FILES: batch,
        Queue.INVENTORY: inventory,
        Queue.RECONCILIATION: batch,
    }
    assert set(consumers()) == {queue.value for queue in Queue}


def test_the_supervisor_runs_the_same_processes_as_the_procfile() -> None:
    said = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        said[name] = command
    ours = {process.name: process.command for process in fleet(NOWHERE, "password")}

    assert list(said) == list(ours)
    for name in ("worker-flow", "worker-inventory", "worker-batch"):
        words = shlex.split(said[name])
        assert words[words.index("-Q") + 1] == ours[name][ours[name].index("-Q") + 1]
        assert words[words.index("--pool") + 1] == ours[name][ours[name].index("--pool") + 1]


def test_flower_never_starts_without_a_password() -> None:
    [line] = [one for one in (ROOT / "Procfile").read_text().splitlines() if "flower" in one]
    command = line.partition(":")[2].replace("exec celery", "exec echo")
    env = {"PATH": os.environ["PATH"]}

    open_door = subprocess.run(
        ["/bin/sh", "-c", command], env=env, capture_output=True, check=False
    )
    env["FLOWER_BASIC_AUTH"] = "ann:secret"
    locked = subprocess.run(["/bin/sh", "-c", command], env=env, capture_output=True, check=False)

    assert (open_door.returncode != 0, locked.returncode) == (True, 0)
    assert b"--read_only=True" in locked.stdout
    assert b"secret" not in locked.stdout
