"""Compose the web application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from prometheus_client import CollectorRegistry

from syncworkers.web import answers, api, health, webhooks
from syncworkers.web.metrics import FleetCollector, count_receipts

if TYPE_CHECKING:
    from flask import Response

    from syncworkers.flows.fleet import Fleet

MAX_BODY = 2 * 1024 * 1024
"""Bytes of one webhook; the largest order seen has a tenth of it."""
OLDEST_DUE_LIMIT = 900.0
"""Seconds; older due work than that makes the fleet unready."""

HEADERS = {
    "Server": "syncworkers",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def create_app(
    fleet: Fleet, *, max_body: int = MAX_BODY, oldest_due_limit: float = OLDEST_DUE_LIMIT
) -> Flask:
    """Build the application of one process; it keeps no session and sets no cookie."""
    app = Flask("syncworkers.web", static_folder=None, template_folder=None)
    # One byte more, because werkzeug cuts a chunked body at its limit instead of refusing it.
    app.config["MAX_CONTENT_LENGTH"] = max_body + 1
    # A redirect would repeat the caller's Host to it; an odd path is simply not there.
    app.url_map.merge_slashes = False
    registry = CollectorRegistry()
    registry.register(FleetCollector(fleet))
    app.register_blueprint(webhooks.blueprint(fleet, count_receipts(registry), max_body))
    app.register_blueprint(health.blueprint(fleet, registry, oldest_due_limit))
    api.install(app, fleet)
    answers.install(app)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
