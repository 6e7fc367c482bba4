"""Run a simulator: a threaded HTTP/1.1 server on loopback, with the common control face."""

from __future__ import annotations

import argparse
import os
import signal
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Flask, jsonify, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.serving import WSGIRequestHandler, make_server

from syncworkers.sandbox.faults import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response


class Switched(Protocol):
    """A plan of faults that can be switched by hand."""

    def switch(self, switches: Mapping[str, Any]) -> None:
        """Set switches; raises ValueError."""


class QuietHandler(WSGIRequestHandler):
    """Keeps connections alive and says nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> dict[str, Any]:
        """Let names with an underscore through, which werkzeug leaves out: ShipBob has one."""
        environ = super().make_environ()
        for name, value in self.headers.items():
            if "_" in name:
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """A caller that gave up, or a fault of ours."""
        self.close_connection = True

    def finish(self) -> None:
        """Close, even what a fault closed already."""
        try:
            super().finish()
        except OSError:
            return


class PlainJson(DefaultJSONProvider):
    """Keeps the order of keys."""

    sort_keys = False


def control(plan: Switched) -> Blueprint:
    """Build the control face all simulators have."""
    face = Blueprint("control", __name__, url_prefix="/_sandbox")

    @face.get("/health")
    def health() -> Response:
        return jsonify({"ok": True})

    @face.post("/faults")
    def faults() -> tuple[Response, int]:
        try:
            plan.switch(request.get_json(force=True))
        except ValueError as error:
            return jsonify({"error": str(error)}), 400
        return jsonify({"ok": True}), 200

    return face


def flask_app(name: str) -> Flask:
    """Make an application as simulators want it."""
    app = Flask(name, static_folder=None)
    app.json = PlainJson(app)
    return app


def arguments(description: str) -> argparse.ArgumentParser:
    """Make the parser of the flags all simulators have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=LEVELS, default="none")
    parser.add_argument("--speed", type=float, default=1.0, help="scales the partner's limits")
    parser.add_argument("--caller-deadline", type=float, default=2.0, help="seconds callers wait")
    return parser


def serve(app: Any, port: int, *, closing: Callable[[], None] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; `closing` tidies up behind it."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]

    def stop(*_: object) -> None:
        if closing is not None:
            closing()
        os._exit(0)

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, stop)
    server.serve_forever(poll_interval=0.1)
