"""The simulated environment as a web application: token, OData, `$batch`, services, control."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.dynamics365 import multipart, numbers
from syncworkers.sandbox.dynamics365.books import Books
from syncworkers.sandbox.dynamics365.control import serve_books, serve_invoices, serve_switches
from syncworkers.sandbox.dynamics365.events import EventSender
from syncworkers.sandbox.dynamics365.invoicing import Invoicing
from syncworkers.sandbox.dynamics365.odata import Api, refusal
from syncworkers.sandbox.dynamics365.slips import Slips, serve_slips
from syncworkers.sandbox.faults import CallFault, FaultPlan
from syncworkers.sandbox.limits import WindowLimit
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.tokens import TokenOffice
from syncworkers.sandbox.transport import FaultyTransport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.sandbox.dynamics365.multipart import Answer, Operation

LIMIT = (6000, 300.0)
"""Requests in a window of seconds, at speed 1."""
SERVICES = "/api/services/"
TOKEN_LIFE = 3599.0
INVOICE_AFTER = 2.0
"""Seconds between a packing slip and its invoice, at pace 1."""
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
    slips: Slips
    invoicing: Invoicing
    sender: EventSender
    program: Any


def build(
    plan: FaultPlan,
    *,
    client_id: str,
    client_secret: str,
    speed: float = 1.0,
    caller_deadline: float = 3.0,
    companies: Sequence[str] = ("usmf",),
    event_url: str = "",
    seed: int = 1,
    pace: float = 1.0,
    invoicing: bool = True,
) -> Environment:
    """Put an environment together; `speed` scales its limits, `pace` its waits.

    The first of `companies` is the one of the user that we are there.
    Business events go to `event_url`; with `invoicing` each packing slip is invoiced by itself.
    """
    app = flask_app(__name__)
    books = Books(frozenset(companies), companies[0])
    calls = CallLog()
    sender = EventSender(event_url, plan, seed=seed)
    biller = Invoicing(books, sender, after=INVOICE_AFTER * pace, automatic=invoicing)
    environment = Environment(
        books=books,
        plan=plan,
        calls=calls,
        tokens=TokenOffice(client_id, client_secret, life=TOKEN_LIFE),
        limit=WindowLimit(LIMIT[0] * speed, LIMIT[1]),
        slips=Slips(books, biller.follow),
        invoicing=biller,
        sender=sender,
        program=FaultyTransport(
            app, plan, calls, caller_deadline=caller_deadline, operation=_operation, refuse=_refuse
        ),
    )
    _serve(app, environment)
    return environment


def _serve(app: Flask, environment: Environment) -> None:
    _serve_tokens(app, environment.tokens)
    _guard(app, environment.tokens, environment.limit)
    _serve_data(app, environment.books)
    serve_slips(app, environment.slips)
    app.register_blueprint(control(environment.plan))
    serve_books(app, environment)
    serve_switches(app, environment)
    serve_invoices(app, environment)


def _operation(environ: dict[str, Any]) -> tuple[str, bool]:
    """Name a call for the log, and say whether it may be faulted."""
    path, body = environ["PATH_INFO"], environ["sandbox.body"]
    last = path.rpartition("/")[2]
    if path.endswith("/oauth2/v2.0/token"):
        return "token", False
    if path.startswith(SERVICES):
        return f"slip_{last}", True
    if last == "$batch":
        return _batch_operation(body), True
    if last == "SalesInvoiceHeadersV2" and "InvoiceDate" in environ["QUERY_STRING"]:
        return "invoices_changed", True
    return f"{environ['REQUEST_METHOD']} {last.partition('(')[0]}", True


def _batch_operation(body: bytes) -> str:
    if any(f"\r\n{one} ".encode() in body for one in ("POST", "PATCH")):
        return "change"
    return "invoices_read" if b"\r\nGET SalesInvoice" in body else "look"


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


def _guard(app: Flask, tokens: TokenOffice, limit: WindowLimit) -> None:
    @app.before_request
    def guard() -> Response | None:
        if not request.path.startswith(("/data/", SERVICES)):
            return None
        if not tokens.good(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return _response(refusal(401, "Unauthorized"))
        wait = limit.ask(time.monotonic())
        if wait > 0:
            answer = refusal(429, THROTTLED.format(limit.requests, limit.window))
            answer.headers["Retry-After"] = str(max(1, round(wait)))
            return _response(answer)
        return None


def _serve_data(app: Flask, books: Books) -> None:
    api = Api(books)

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
