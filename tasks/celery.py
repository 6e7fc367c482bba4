"""The Celery app: one place for how messages are sent, taken and forgotten.

Messages are hints (a name and at most a partner); the record is in Postgres. So they are
acknowledged early, expire, are never retried and leave no result. Business retries live in rows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from celery import Celery, signals

from syncworkers import logs, sentry
from syncworkers.policy.load import PolicyError, load_policy
from syncworkers.settings import load_settings
from tasks.base import FleetTask
from tasks.broker import WORKING, broker_url
from tasks.published import PublishedCount
from tasks.queues import QUEUES, ROUTES, Queue
from tasks.schedule import SCHEDULE, polls, unmonitored

if TYPE_CHECKING:
    from celery.beat import Service

settings = load_settings()
published = PublishedCount(settings.redis_url)

app = Celery(
    "syncworkers",
    broker=broker_url(settings.redis_url),
    task_cls=FleetTask,
    include=[
        "tasks.orders",
        "tasks.shipments",
        "tasks.invoices",
        "tasks.files",
        "tasks.inventory",
        "tasks.sweep",
        "tasks.dead_letter",
        "tasks.maintenance",
    ],
)
app.conf.update(
    task_queues=QUEUES,
    task_routes=ROUTES,
    task_create_missing_queues=False,
    # Celery wants a default that exists; the routes see to it that nothing ever goes there.
    task_default_queue=Queue.MAINTENANCE.value,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    result_expires=None,
    task_acks_late=False,
    task_send_sent_event=False,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    enable_utc=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=30,
    worker_enable_soft_shutdown_on_idle=True,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=WORKING,
    beat_schedule=SCHEDULE,
    # In memory: a file would be shared by two beats in one folder, and slots remember better.
    beat_scheduler="celery.beat:Scheduler",
    beat_enable_remote_control=True,
)


@signals.setup_logging.connect
def _logs(loglevel: int | str | None = None, **_: Any) -> None:
    logs.configure(settings.environment, loglevel or "INFO")


@signals.celeryd_init.connect
def _worker(**_: Any) -> None:
    sentry.init(settings.sentry_dsn, settings.environment)


@signals.beat_init.connect
def _beat(sender: Service, **_: Any) -> None:
    """Only beat reads the partners at its start; a worker does when it composes its fleet."""
    try:
        policy = load_policy(settings.config, settings.environment, os.environ)
    except PolicyError as error:
        # Celery only logs what a signal's receiver raises, and beat would go on without polls.
        raise SystemExit(str(error)) from error
    polled = polls(policy.partners.values())
    sender.scheduler.update_from_dict(polled)
    sentry.init(
        settings.sentry_dsn,
        settings.environment,
        unmonitored=unmonitored({**SCHEDULE, **polled}),
    )


@signals.after_task_publish.connect
def _count(sender: str, **_: Any) -> None:
    published.add(sender)
