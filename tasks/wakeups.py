"""Send wake-ups: a lane's name becomes the message "this lane has work"."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from kombu import Connection

from tasks.broker import PUBLISHING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from celery import Celery
    from kombu import Producer

EXPIRES = 30.0
"""Seconds; later than that the sweep has sent another one."""


class Publisher:
    """Publishes over a connection of its own that gives up within a second.

    An instance belongs to one process. It raises what goes wrong: the waker counts and swallows it.
    """

    def __init__(self, app: Celery[Any]) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __call__(self, lanes: Sequence[str]) -> None:
        """Send one message per lane, in the given order, which is the order of urgency."""
        with self._lock:
            kept = self._connection is not None
            try:
                self._send_all(lanes)
            except Exception:
                self.close()
                if not kept:
                    raise
                # A connection of earlier may have died unnoticed; a doubled hint does no harm.
                self._send_all(lanes)

    def close(self) -> None:
        """Drop the connection; the next wake-up opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def _send_all(self, lanes: Sequence[str]) -> None:
        if self._connection is None:
            self._connection = Connection(
                self._app.conf.broker_url, connect_timeout=0.5, transport_options=dict(PUBLISHING)
            )
        self._connection.ensure_connection(max_retries=0, interval_start=0)
        producer = self._app.amqp.Producer(self._connection.default_channel, auto_declare=False)
        with _together(producer):
            for lane in lanes:
                self._send(producer, lane)

    def _send(self, producer: Producer, lane: str) -> None:
        task, _, partner = lane.partition(":")
        self._app.send_task(
            task,
            args=[partner] if partner else [],
            producer=producer,
            expires=EXPIRES,
            retry=False,
            ignore_result=True,
        )


def _together(producer: Producer) -> AbstractContextManager[Any]:
    """Send in one round trip where kombu can (5.7 and later)."""
    batch = getattr(producer, "batch", None)
    return batch() if batch is not None else nullcontext()
