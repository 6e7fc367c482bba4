"""Sentry: errors and cron monitors leave this process only scrubbed; without a DSN nothing does.

An event keeps what a programmer needs (type, place, our own words, which partner and lane) and
loses whatever may hold business: request, local variables, breadcrumb data, statements with
parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sentry_sdk
import structlog
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.flask import FlaskIntegration

from syncworkers.logs import scrub, scrub_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint

TAGS = ("partner", "correlation_id", "lane", "task")
KEPT_CONTEXTS = ("runtime", "trace", "monitor")
DROPPED = ("request", "user", "extra", "modules")


def init(
    dsn: str | None,
    environment: str,
    *,
    release: str | None = None,
    unmonitored: Sequence[str] = (),
    transport: Transport | None = None,
) -> bool:
    """Start reporting; False without a DSN. `unmonitored` names beat entries without a monitor."""
    if not dsn:
        return False
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        transport=transport,
        # Nothing joins in by itself: the integrations of SQLAlchemy, Redis and requests would
        # bring statements, keys and addresses along.
        auto_enabling_integrations=False,
        integrations=[
            CeleryIntegration(
                propagate_traces=False,
                monitor_beat_tasks=True,
                exclude_beat_tasks=[f"^{name}" for name in unmonitored],
            ),
            FlaskIntegration(),
        ],
        # Personal data is off by default; naming `send_default_pii` is deprecated.
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=None,
        before_send=scrub_event,
        before_breadcrumb=scrub_breadcrumb,
    )
    return True


def scrub_event(event: Event, hint: Hint) -> Event:
    """Take everything out of an event that could be about a person, an order or a secret."""
    fields: dict[str, Any] = event  # type: ignore[assignment]
    line = getattr(hint.get("log_record"), "msg", None)
    about = structlog.contextvars.get_contextvars()
    if isinstance(line, dict):
        about = {**about, **line}
        fields["logentry"] = {"message": scrub_text(str(line.get("event", "")))}
        fields["fingerprint"] = [str(line.get(part, "")) for part in ("event", "partner", "code")]
    elif "logentry" in fields:
        message = fields["logentry"].get("formatted") or fields["logentry"].get("message") or ""
        fields["logentry"] = {"message": scrub_text(str(message))}
    if fields.get("message"):
        fields["message"] = scrub_text(str(fields["message"]))
    for name in DROPPED:
        fields.pop(name, None)
    fields["contexts"] = {
        name: _context(name, value)
        for name, value in (fields.get("contexts") or {}).items()
        if name in KEPT_CONTEXTS
    }
    known = {name: str(about[name]) for name in TAGS if about.get(name)}
    fields["tags"] = scrub({**(fields.get("tags") or {}), **known})
    for error in (fields.get("exception") or {}).get("values", ()):
        _scrub_exception(error)
    for thread in (fields.get("threads") or {}).get("values", ()):
        _scrub_frames(thread.get("stacktrace"))
    crumbs = (fields.get("breadcrumbs") or {}).get("values", ())
    for crumb in crumbs:
        scrub_breadcrumb(crumb)
    return event


def scrub_breadcrumb(crumb: dict[str, Any], _hint: Any = None) -> dict[str, Any]:
    """Keep what happened, not with what."""
    crumb.pop("data", None)
    if crumb.get("message"):
        crumb["message"] = scrub_text(str(crumb["message"]))
    return crumb


def _context(name: str, value: Any) -> Any:
    if name != "trace":
        return value
    return {part: value[part] for part in ("trace_id", "span_id") if part in value}


def _scrub_exception(error: dict[str, Any]) -> None:
    if error.get("value"):
        error["value"] = scrub_text(str(error["value"]))
    error.get("mechanism", {}).pop("data", None)
    _scrub_frames(error.get("stacktrace"))


def _scrub_frames(stacktrace: dict[str, Any] | None) -> None:
    for frame in (stacktrace or {}).get("frames", ()):
        frame.pop("vars", None)
