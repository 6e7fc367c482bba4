"""How long a caller waits: a partner gives up after five seconds, so we answer before that."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from syncworkers.bootstrap import Patience, connect
from syncworkers.web.answers import REMEDIES, RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

WEBHOOK = Patience(connect=2_000, statement=2_000, lock=1_000)


def impatient(fleet: Fleet) -> Fleet:
    """Return the fleet with a database that gives up in time for a webhook's answer."""
    fleet.database.dispose()
    return replace(fleet, database=connect(fleet.database.url, WEBHOOK))


class WhenReady:
    """Answers 503 until the application can be composed: the database may come after us.

    A wrong configuration is not waited for: it raises at once.
    """

    def __init__(self, compose: Callable[[], WSGIApplication]) -> None:
        self._compose = compose
        self._lock = threading.Lock()
        self._application: WSGIApplication | None = None
        self._not_before = 0.0
        self._try()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Hand the request on, or answer for the application that is not there yet."""
        application = self._application or self._try()
        if application is not None:
            return application(environ, start)
        if environ.get("PATH_INFO") == "/healthz":
            return _answer(start, "200 OK", {"ok": True})
        body = {"error": "the database is away", "remedy": REMEDIES[503]}
        return _answer(start, "503 Service Unavailable", body)

    def _try(self) -> WSGIApplication | None:
        """Compose, one thread at a time and at most once a second."""
        if time.monotonic() >= self._not_before and self._lock.acquire(blocking=False):
            try:
                self._application = self._application or self._compose()
            except SQLAlchemyError as error:
                log.warning("gateway waits for its database", error=type(error).__name__)
                self._not_before = time.monotonic() + 1.0
            finally:
                self._lock.release()
        return self._application


def _answer(start: StartResponse, status: str, body: dict[str, Any]) -> Iterable[bytes]:
    headers = [("Content-Type", "application/json"), ("Server", "syncworkers")]
    if not status.startswith("200"):
        headers.append(("Retry-After", str(RETRY_AFTER)))
    start(status, headers)
    return [json.dumps(body).encode()]
