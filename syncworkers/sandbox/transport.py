"""Faults on the wire: a WSGI middleware that delays, drops, resets and doubles for real.

However a call goes wrong, its effect is as if the application ran once or not at all.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app

from syncworkers.sandbox.faults import CallFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.faults import FaultPlan

Environ = dict[str, Any]
Wsgi = Any
CONTROL = "/_sandbox"
LATE = 5.0
"""Seconds between the caller giving up and the late effect."""
OUTAGE = 3.0
HANG = 30.0
Refusal = tuple[str, list[tuple[str, str]], bytes]


class FaultyTransport:
    """Wraps a simulator's application.

    `operation` names a call for the log; None means that it is not to be faulted (a token, say).
    `refuse` makes the partner's own form of `throttle` and `server_error`.
    """

    def __init__(
        self,
        app: Wsgi,
        plan: FaultPlan,
        log: CallLog,
        *,
        caller_deadline: float,
        operation: Callable[[Environ], tuple[str, bool]],
        refuse: Callable[[CallFault], Refusal],
    ) -> None:
        self._app = app
        self._plan = plan
        self._log = log
        self._deadline = caller_deadline
        self._operation = operation
        self._refuse = refuse
        self._down_until = 0.0

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        """Answer one call, or fail it."""
        if environ["PATH_INFO"].startswith(CONTROL):
            return self._app(environ, start)  # type: ignore[no-any-return]
        _buffer(environ)
        name, may_fail = self._operation(environ)
        fault = self._fault() if may_fail else None
        self._log.note(name, fault)
        if fault is None:
            return self._app(environ, start)  # type: ignore[no-any-return]
        return self._fail(CallFault(fault), environ, start)

    def _fault(self) -> CallFault | None:
        if time.monotonic() < self._down_until:
            return CallFault.OUTAGE
        fault = self._plan.next_call()
        if fault is CallFault.OUTAGE:
            self._down_until = time.monotonic() + OUTAGE
        return fault

    def _fail(self, fault: CallFault, environ: Environ, start: Any) -> Iterable[bytes]:
        match fault:
            case CallFault.THROTTLE | CallFault.SERVER_ERROR:
                status, headers, body = self._refuse(fault)
                start(status, headers)
                return [body]
            case CallFault.SLOW:
                _wait(self._deadline * 0.4)
                return self._app(environ, start)  # type: ignore[no-any-return]
            case CallFault.RESET | CallFault.OUTAGE:
                return _reset(environ)
            case CallFault.TIMEOUT_BEFORE | CallFault.HANG:
                _wait(HANG if fault is CallFault.HANG else self._deadline + 1.0)
                return _reset(environ)
            case CallFault.TIMEOUT_AFTER:
                run_wsgi_app(self._app, environ)
                _wait(self._deadline + 1.0)
                return _reset(environ)
            case CallFault.LATE_EFFECT:
                threading.Thread(target=self._land, args=[_copied(environ)], daemon=True).start()
                _wait(self._deadline + 1.0)
                return _reset(environ)

    def _land(self, environ: Environ) -> None:
        _wait(self._deadline + LATE)
        run_wsgi_app(self._app, environ)


def _buffer(environ: Environ) -> None:
    """Read the whole body now: a fault may want it after the caller is gone."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["sandbox.body"] = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(environ["sandbox.body"])


def _copied(environ: Environ) -> Environ:
    copy = {key: value for key, value in environ.items() if key != "werkzeug.socket"}
    copy["wsgi.input"] = io.BytesIO(environ["sandbox.body"])
    return copy


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def _reset(environ: Environ) -> Iterable[bytes]:
    """Send a real RST: the kernel does, for a socket closed without lingering."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionAbortedError
