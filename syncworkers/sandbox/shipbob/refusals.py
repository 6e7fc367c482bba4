"""How the API says no: a status, and a body of many shapes or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from flask import Flask


class RefusedError(Exception):
    """A call is refused; `body` becomes JSON, None an empty answer."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.body = body


def serve_refusals(app: Flask) -> None:
    """Turn refusals into answers."""

    @app.errorhandler(RefusedError)
    def refused(error: RefusedError) -> Response:
        if error.body is None:
            return Response(status=error.status)
        answer = jsonify(error.body)
        answer.status_code = error.status
        return answer

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        return jsonify({"statusCode": status, "message": error.name}), status
