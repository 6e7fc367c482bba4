"""The queues. The Procfile says which process consumes which."""

from __future__ import annotations

from enum import StrEnum

from kombu import Queue as KombuQueue


class Queue(StrEnum):
    """Every queue there is; the first part of a task's name is its queue."""

    ORDERS = "orders"
    SHIPMENTS = "shipments"
    INVOICES = "invoices"
    INVENTORY = "inventory"
    CATALOG = "catalog"
    RECONCILIATION = "reconciliation"
    DEAD_LETTER = "dead_letter"
    SWEEP = "sweep"
    MAINTENANCE = "maintenance"


QUEUES = tuple(KombuQueue(queue.value) for queue in Queue)
ROUTES = {f"{queue.value}.*": {"queue": queue.value} for queue in Queue}
