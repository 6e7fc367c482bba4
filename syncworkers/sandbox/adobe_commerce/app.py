"""The simulated instance as a web application: REST in both flavours, IMS, keys, control face."""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.adobe_commerce.books import Books, RefusedError
from syncworkers.sandbox.adobe_commerce.customers import Customers, Plan
from syncworkers.sandbox.adobe_commerce.events import EventSender
from syncworkers.sandbox.adobe_commerce.proof import Gate
from syncworkers.sandbox.adobe_commerce.search import search
from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.faults import CallFault
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.tokens import TokenOffice
from syncworkers.sandbox.transport import FaultyTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.sandbox.faults import FaultPlan

Answered = tuple[Response, int]
TOKEN_PATH = "/ims/token/v3"  # noqa: S105 - an address
TOKEN_LIFE = 86399.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running instance: its books, its switches, and the program that serves them."""

    books: Books
    plan: FaultPlan
    calls: CallLog
    gate: Gate
    sender: EventSender
    customers: Customers
    program: Any


def build(
    plan: FaultPlan,
    *,
    consumer_key: str,
    consumer_secret: str,
    access_token: str,
    access_token_secret: str,
    client_id: str,
    client_secret: str,
    event_url: str = "",
    seed: int = 1,
    caller_deadline: float = 3.0,
) -> Instance:
    """Put an instance together; events go to `event_url`, for the project `client_id`."""
    app = flask_app(__name__)
    books, calls = Books(), CallLog()
    sender = EventSender(event_url, client_id, plan, seed=seed)
    books.listen(sender.saved)
    instance = Instance(
        books=books,
        plan=plan,
        calls=calls,
        gate=Gate(
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            access_token=access_token,
            access_token_secret=access_token_secret,
            office=TokenOffice(client_id, client_secret, life=TOKEN_LIFE),
        ),
        sender=sender,
        customers=Customers(books),
        program=FaultyTransport(
            app, plan, calls, caller_deadline=caller_deadline, operation=_operation, refuse=_refuse
        ),
    )
    _serve_proofs(app, instance)
    _guard(app, instance)
    for prefix in ("/rest/<store>/V1", "/V1"):
        _serve_reads(app, books, prefix)
        _serve_changes(app, books, prefix)
    app.register_blueprint(control(plan))
    _serve_control(app, instance)
    return instance


def _serve_proofs(app: Flask, instance: Instance) -> None:
    """Offer tokens, as IMS does, and the key that signs events."""

    @app.post(TOKEN_PATH)
    def token() -> Answered:
        form = request.form
        value = instance.gate.office.issue(form.get("client_id", ""), form.get("client_secret", ""))
        if value is None:
            return jsonify({"error": "invalid_client"}), 401
        life = int(instance.gate.office.life)
        return jsonify({"access_token": value, "token_type": "bearer", "expires_in": life}), 200

    @app.get("/prod/keys/<name>")
    def key(name: str) -> Answered:
        if not instance.sender.key_path.endswith(f"/{name}"):
            return jsonify({"error": "no such key"}), 404
        return Response(instance.sender.public_key, content_type="application/x-pem-file"), 200


def _guard(app: Flask, instance: Instance) -> None:
    @app.before_request
    def prove() -> Response | None:
        if "/V1/" not in request.path:
            return None
        try:
            instance.gate.check(
                request.method,
                request.base_url,
                request.query_string.decode(),
                request.headers.get("Authorization", ""),
            )
        except RefusedError as error:
            return _refusal(error)
        return None

    @app.errorhandler(RefusedError)
    def refuse(error: RefusedError) -> Response:
        return _refusal(error)


def _refusal(error: RefusedError) -> Response:
    body: dict[str, Any] = {"message": error.message}
    if error.parameters:
        body["parameters"] = error.parameters
    response = jsonify(body)
    response.status_code = error.status
    return response


def _serve_reads(app: Flask, books: Books, prefix: str) -> None:
    def add(path: str, name: str, rows: Callable[[], list[dict[str, Any]]]) -> None:
        def listing(store: str = "") -> Response:  # noqa: ARG001 - a scope, all the same here
            with books.lock:
                found = copy.deepcopy(search(rows(), request.args))
            return jsonify(found)

        app.add_url_rule(f"{prefix}/{path}", f"{prefix}{name}", listing, methods=["GET"])

    add("orders", "orders", lambda: list(books.orders.values()))
    add("shipments", "shipments", lambda: list(books.shipments.values()))


def _serve_changes(app: Flask, books: Books, prefix: str) -> None:
    def ship(order_id: int, store: str = "") -> Response:  # noqa: ARG001
        return jsonify(str(books.ship(order_id, _sent())))

    def track(store: str = "") -> Response:  # noqa: ARG001
        return jsonify(books.track(_sent().get("entity") or {}))

    def comment(order_id: int, store: str = "") -> Response:  # noqa: ARG001
        books.comment(order_id, _sent().get("statusHistory") or {})
        return jsonify(True)  # noqa: FBT003

    for path, view in (
        ("order/<int:order_id>/ship", ship),
        ("shipment/track", track),
        ("orders/<int:order_id>/comments", comment),
    ):
        app.add_url_rule(f"{prefix}/{path}", f"{prefix}{path}", view, methods=["POST"])


def _sent() -> dict[str, Any]:
    sent = request.get_json(force=True, silent=True)
    if not isinstance(sent, dict):
        raise RefusedError("Decoding error.")
    return sent


def _serve_control(app: Flask, instance: Instance) -> None:
    books, customers = instance.books, instance.customers

    @app.post("/_sandbox/orders")
    def place() -> Answered:
        given = request.get_json(force=True)
        unknown = given.keys() - {field.name for field in fields(Plan)}
        if unknown or not isinstance(given.get("count"), int):
            return jsonify({"error": f"give a count; unknown: {sorted(unknown)}"}), 400
        customers.start(Plan(**given))
        return jsonify({"ok": True}), 202

    @app.post("/_sandbox/orders/<int:order_id>/cancel")
    def cancel(order_id: int) -> Answered:
        done = books.cancel(order_id)
        return jsonify({"ok": done}), 202 if done else 404

    @app.get("/_sandbox/books")
    def show() -> Response:
        whole = {"orders": books.audited(), "faults": instance.plan.counts()}
        return jsonify(whole | instance.calls.books())

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        with books.lock:
            noted = sum(bool(one["status_histories"]) for one in books.orders.values())
        return jsonify(
            {
                "placed": len(books.orders),
                "fulfillments": len(books.shipments),
                "noted": noted,
                "busy": customers.busy,
                "webhooks_pending": instance.sender.pending(),
                "faults": instance.plan.counts(),
            }
        )


def _operation(environ: dict[str, Any]) -> tuple[str, bool]:
    """Name a call for the log, and say whether it may be faulted."""
    path = environ["PATH_INFO"]
    if path == TOKEN_PATH or path.startswith("/prod/keys/"):
        return "token" if path == TOKEN_PATH else "key", False
    words = [word for word in path.partition("/V1/")[2].split("/") if not word.isdecimal()]
    return f"{environ['REQUEST_METHOD'].lower()}_{'_'.join(words)}", True


def _refuse(fault: CallFault) -> tuple[str, list[tuple[str, str]], bytes]:
    if fault is CallFault.THROTTLE:
        headers = [("Content-Type", "application/json"), ("Retry-After", "1")]
        return "429 Too Many Requests", headers, b'{"message":"Too Many Requests","trace":null}'
    html = b"<html><body>Service Temporarily Unavailable</body></html>"
    return "503 Service Unavailable", [("Content-Type", "text/html")], html
