"""Answers when something is wrong: JSON that says what, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from flask import jsonify
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

if TYPE_CHECKING:
    from flask import Flask, Response

log = structlog.get_logger(__name__)

RETRY_AFTER = 5
"""Seconds we ask a caller to wait while the database is away."""

REMEDIES = {
    400: "Send a well-formed HTTP request.",
    404: "Look at the address; the API is described in /api/openapi.json.",
    405: "Use one of the methods named in the Allow header.",
    413: "Send a smaller body.",
    500: "This is a fault of ours: it is in our log. The request may be sent again.",
    503: "Send the same again after the seconds in Retry-After.",
}


def problem(status: int, error: str, remedy: str | None = None) -> Response:
    """Build an error answer."""
    body = {"error": error, "remedy": remedy or REMEDIES.get(status, REMEDIES[400])}
    response = jsonify(body)
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def install(app: Flask) -> None:
    """Answer every error in our form; installed last, so that it covers all routes."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(InternalServerError, _broken)
    app.register_error_handler(SQLAlchemyError, _database_away)


def _refused(error: HTTPException) -> Response:
    if error.response is not None and error.code is None:
        return problem(400, "bad request")
    response = problem(error.code or 400, error.name.lower())
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _broken(_error: InternalServerError) -> Response:
    # Flask has logged it, with its traceback.
    return problem(500, "internal error")


def _database_away(error: SQLAlchemyError) -> Response:
    log.warning("database away", error=type(error).__name__)
    return problem(503, "the database is away")
