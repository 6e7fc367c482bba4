"""Prometheus: gauges are read from the database at each scrape, so any process may be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from syncworkers.web import pulse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import CollectorRegistry

    from syncworkers.flows.fleet import Fleet
    from syncworkers.web.pulse import Pulse

log = structlog.get_logger(__name__)


def count_receipts(registry: CollectorRegistry) -> Counter:
    """Build the counter of webhooks answered by this process, which the label `process` names.

    A scrape meets any one process of several; each keeps a series of its own.
    """
    return Counter(
        "syncworkers_webhooks",
        "Webhooks answered by this process",
        ["process", "partner", "receipt"],
        registry=registry,
    )


class FleetCollector:
    """Asks the database when Prometheus asks us; `syncworkers_up` is 0 when it does not answer."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing beforehand: registering must not read the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges of one reading."""
        try:
            reading = pulse.read(self._fleet)
        except SQLAlchemyError as error:
            log.warning("metrics without database", error=type(error).__name__)
            yield GaugeMetricFamily("syncworkers_up", "The database answers", value=0)
            return
        yield GaugeMetricFamily("syncworkers_up", "The database answers", value=1)
        yield GaugeMetricFamily(
            "syncworkers_open_cases", "Exception cases for people", value=reading.open_cases
        )
        yield _by("parked_rows", "Rows waiting for something absent", "table", reading.parked)
        yield from _gates(reading)
        yield from _lanes(reading)


def _gates(reading: Pulse) -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily(
        "syncworkers_parts_waiting",
        "Order parts that wait before their warehouse gets them",
        labels=["warehouse", "gate"],
    )
    for one in reading.gates:
        waiting.add_metric([one["partner"], one["gate"]], one["parts"])
    yield waiting


def _lanes(reading: Pulse) -> Iterator[GaugeMetricFamily]:
    lines = GaugeMetricFamily(
        "syncworkers_lane_lines", "Entities with open work", labels=["lane", "state"]
    )
    for lane in reading.lanes:
        ready = max(0, lane.lines - lane.leased - lane.blocked)
        lines.add_metric([lane.name, "waiting"], ready)
        lines.add_metric([lane.name, "leased"], lane.leased)
        lines.add_metric([lane.name, "blocked"], lane.blocked)
    yield lines
    yield _by("lane_rows", "Open rows", "lane", {lane.name: lane.rows for lane in reading.lanes})
    yield _by(
        "lane_oldest_due_seconds",
        "Age of the oldest row that is due and not taken",
        "lane",
        {lane.name: reading.overdue(lane) for lane in reading.lanes},
    )
    yield _by(
        "lane_paused",
        "The lane is paused",
        "lane",
        {lane.name: int(lane.paused_reason is not None) for lane in reading.lanes},
    )


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"syncworkers_{name}", text, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge
