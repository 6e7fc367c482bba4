"""The simulated environment as a web application: token, OData, `$batch`, control face."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.dynamics365 import multipart, numbers
from syncworkers.sandbox.dynamics365.books import Books
from syncworkers.sandbox.dynamics365.control import serve_control
from syncworkers.sandbox.dynamics365.odata import Api, refusal
from syncworkers.sandbox.faults import CallFault, FaultPlan
from syncworkers.sandbox.limits import WindowLimit
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.tokens import TokenOffice
from syncworkers.sandbox.transport import FaultyTransport

if TYPE_CHECKING:
    from syncworkers.sandbox.dynamics365.multipart import Answer, Operation

LIMIT = (6000, 300.0)
"""Requests in a window of seconds, at speed 1."""
TOKEN_LIFE = 3599.0
THROTTLED = "Number of requests exceeded the limit of {} over the time window of {:g} seconds."
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A running environment: its books, its switches, and the program that serves them."""

    books: Books
    plan: FaultPlan
    calls: CallLog
    tokens: TokenOffice
    limit: WindowLimit
    program: Any


def build(
    plan: FaultPlan,
    *,
    client_id: str,
    client_secret: str,
    speed: float = 1.0,
    caller_deadline: float = 3.0,
    companies: frozenset[str] = frozenset({"usmf"}),
) -> Environment:
    """Put an environment together; `speed` scales its limits."""
    books = Books(companies, min(companies))
    calls = CallLog()
    tokens = TokenOffice(client_id, client_secret, life=TOKEN_LIFE)
    limit = WindowLimit(LIMIT[0] * speed, LIMIT[1])
    app = flask_app(__name__)
    _serve_tokens(app, tokens)
    _serve_data(app, books, tokens, limit)
    app.register_blueprint(control(plan))
    serve_control(app, books, calls, plan)
    program = FaultyTransport(
        app, plan, calls, caller_deadline=caller_deadline, operation=_operation, refuse=_refuse
    )
    return Environment(
        books=books, plan=plan, calls=calls, tokens=tokens, limit=limit, program=program
    )


def _operation(environ: dict[str, Any]) -> tuple[str, bool]:
    path = environ["PATH_INFO"]
    if path.endswith("/oauth2/v2.0/token"):
        return "token", False
    reads = b"\r\nGET " in environ["sandbox.body"]
    changes = any(f"\r\n{one} ".encode() in environ["sandbox.body"] for one in ("POST", "PATCH"))
    if path.endswith("$batch"):
        return ("look" if reads and not changes else "change"), True
    return f"{environ['REQUEST_METHOD']} {path.split('/')[-1].partition('(')[0]}", True


def _refuse(fault: CallFault) -> tuple[str, list[tuple[str, str]], bytes]:
    if fault is CallFault.THROTTLE:
        body = numbers.dumps({"error": {"code": "", "message": THROTTLED.format(*LIMIT)}})
        kind = ("Content-Type", "application/json")
        return "429 Too Many Requests", [kind, ("Retry-After", "1")], body.encode()
    return "502 Bad Gateway", [("Content-Type", "text/html")], _HTML.encode()


def _serve_tokens(app: Flask, tokens: TokenOffice) -> None:
    @app.post("/<tenant>/oauth2/v2.0/token")
    def token(tenant: str) -> tuple[Response, int]:  # noqa: ARG001 - part of the address
        form = request.form
        value = tokens.issue(form.get("client_id", ""), form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials" or value is None:
            return jsonify({"error": "invalid_client", "error_description": "AADSTS7000215"}), 401
        # Numbers arrive as texts now and then, there too.
        life = str(int(tokens.life))
        return jsonify({"token_type": "Bearer", "expires_in": life, "access_token": value}), 200


def _serve_data(app: Flask, books: Books, tokens: TokenOffice, limit: WindowLimit) -> None:
    api = Api(books)

    @app.before_request
    def guard() -> Response | None:
        if not request.path.startswith("/data/"):
            return None
        if not tokens.good(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return _response(refusal(401, "Unauthorized"))
        wait = limit.ask(time.monotonic())
        if wait > 0:
            answer = refusal(429, THROTTLED.format(limit.requests, limit.window))
            answer.headers["Retry-After"] = str(max(1, round(wait)))
            return _response(answer)
        return None

    @app.post("/data/$batch")
    def batch() -> Response:
        kind = request.headers.get("Content-Type", "")
        try:
            groups = multipart.read(kind, request.get_data())
        except (ValueError, AttributeError, TypeError) as error:
            return _response(refusal(400, f"The batch cannot be read: {error}"))
        answers = [_group(api, books, operations, is_set=is_set) for is_set, operations in groups]
        kind, body = multipart.write(answers)
        return Response(body, 200, content_type=kind)

    @app.route("/data/<path:address>", methods=["GET", "POST", "PATCH", "DELETE"])
    def single(address: str) -> Response:  # noqa: ARG001 - read undecoded below
        raw = request.environ.get("RAW_URI") or request.full_path
        operation = multipart.Operation(
            method=request.method,
            path=raw,
            headers={name.lower(): value for name, value in request.headers},
            body=request.get_data(),
            content_id=None,
        )
        return _response(api.answer(operation))


Group = tuple[bool, "list[tuple[str | None, Answer]]"]


def _group(api: Api, books: Books, operations: list[Operation], *, is_set: bool) -> Group:
    """Answer reads one by one, and a change set whole: one refusal undoes all of it."""
    answers: list[tuple[str | None, Answer]] = []
    with books.change_set() as undo:
        for one in operations:
            answers.append((one.content_id, api.answer(one)))
            if is_set and answers[-1][1].status >= 400:
                undo()
                return False, answers[-1:]
    return is_set, answers


def _response(answer: Answer) -> Response:
    headers = {**answer.headers, "OData-Version": "4.0"}
    return Response(answer.body, answer.status, headers=headers)
