"""The queues. The Procfile says which process consumes which."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NoReturn

from kombu import Exchange
from kombu import Queue as KombuQueue


class Queue(StrEnum):
    """Every queue there is; the first part of a task's name is its queue."""

    ORDERS = "orders"
    SHIPMENTS = "shipments"
    INVOICES = "invoices"
    INVENTORY = "inventory"
    CATALOG = "catalog"
    FILES = "files"
    RECONCILIATION = "reconciliation"
    DEAD_LETTER = "dead_letter"
    SWEEP = "sweep"
    MAINTENANCE = "maintenance"


QUEUES = tuple(
    KombuQueue(queue.value, Exchange(queue.value, type="direct"), routing_key=queue.value)
    for queue in Queue
)
BY_PREFIX = {f"{queue.value}.*": {"queue": queue.value} for queue in Queue}


def refuse(name: str, *_: Any, **__: Any) -> NoReturn:
    """Refuse a task that no route names: it would wait in a queue nobody meant it for."""
    message = f"no queue for task {name!r}: a task's name begins with its queue's"
    raise LookupError(message)


ROUTES = [BY_PREFIX, refuse]
"""The first that answers decides."""
