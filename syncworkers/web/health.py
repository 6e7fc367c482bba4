"""Health: is the process there, is the fleet able to work, and figures for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from syncworkers.web import pulse
from syncworkers.web.answers import RETRY_AFTER

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)


def blueprint(fleet: Fleet, registry: CollectorRegistry, oldest_due_limit: float) -> Blueprint:
    """Build the routes."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        """Say that the process answers; it asks nobody else."""
        return jsonify({"ok": True})

    @routes.get("/readyz")
    def readyz() -> Response:
        """Say whether work can be taken and gets done, with the reasons if not."""
        reasons = not_ready(fleet, oldest_due_limit)
        response = jsonify({"ok": not reasons, "reasons": reasons})
        if reasons:
            response.status_code = 503
            response.headers["Retry-After"] = str(RETRY_AFTER)
        return response

    @routes.get("/metrics")
    def metrics() -> Response:
        """Answer a scrape."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes


def not_ready(fleet: Fleet, oldest_due_limit: float) -> list[str]:
    """Name what keeps the fleet from working; a paused lane was decided so and does not count."""
    try:
        if not pulse.is_migrated(fleet):
            return ["the database is not migrated: run `syncworkers db upgrade`"]
        reading = pulse.read(fleet)
    except SQLAlchemyError as error:
        log.warning("not ready", error=type(error).__name__)
        return [f"the database does not answer ({type(error).__name__})"]
    return [
        f"{lane.name}: work is due since {reading.overdue(lane):.0f} s; look at the workers"
        for lane in reading.lanes
        if lane.paused_reason is None and reading.overdue(lane) > oldest_due_limit
    ]
