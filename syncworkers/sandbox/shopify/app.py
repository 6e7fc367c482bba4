"""The simulated shop as a web application: token, GraphQL, control face."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.faults import CallFault
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.shopify.apps import Apps
from syncworkers.sandbox.shopify.books import Books
from syncworkers.sandbox.shopify.catalogue import MARKETS
from syncworkers.sandbox.shopify.control import (
    serve_books,
    serve_orders,
    serve_staff,
    serve_subscriptions,
)
from syncworkers.sandbox.shopify.costs import CostBucket
from syncworkers.sandbox.shopify.customers import Customers
from syncworkers.sandbox.shopify.graphql import Api
from syncworkers.sandbox.shopify.reads import SCOPES
from syncworkers.sandbox.shopify.staff import Staff
from syncworkers.sandbox.shopify.webhooks import WebhookSender
from syncworkers.sandbox.tokens import TokenOffice
from syncworkers.sandbox.transport import FaultyTransport

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan
    from syncworkers.sandbox.shopify.catalogue import Market

VERSION = "2026-07"
POINTS = (2000.0, 100.0)
"""Size of the bucket and points restored a second, at speed 1 (a standard plan)."""
TOKEN_LIFE = 86399.0
_OPERATION = re.compile(rb"(?:query|mutation) ([A-Z]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A running shop: its books, its switches, and the program that serves them."""

    books: Books
    plan: FaultPlan
    calls: CallLog
    tokens: TokenOffice
    bucket: CostBucket
    sender: WebhookSender
    customers: Customers
    apps: Apps
    staff: Staff
    program: Any


def build(
    plan: FaultPlan,
    *,
    shop: str,
    webhook_url: str,
    client_id: str,
    client_secret: str,
    market: Market = MARKETS["us"],
    seed: int = 1,
    speed: float = 1.0,
    caller_deadline: float = 3.0,
) -> Shop:
    """Put a shop together; `speed` scales its limits."""
    books = Books()
    calls = CallLog()
    sender = WebhookSender(webhook_url, shop, client_secret, VERSION, plan, seed=seed)
    app = flask_app(__name__)
    running = Shop(
        books=books,
        plan=plan,
        calls=calls,
        tokens=TokenOffice(client_id, client_secret, life=TOKEN_LIFE),
        bucket=CostBucket(POINTS[0] * speed, POINTS[1] * speed),
        sender=sender,
        customers=Customers(books, sender, market),
        apps=Apps(books, sender),
        staff=Staff(books, sender),
        program=FaultyTransport(
            app, plan, calls, caller_deadline=caller_deadline, operation=_operation, refuse=_refuse
        ),
    )
    api = Api(
        books,
        running.apps,
        running.sender,
        running.bucket,
        shop=shop,
        version=VERSION,
        currency=market.currency,
    )
    _serve_admin(app, api, running.tokens)
    _serve_control(app, running)
    return running


def _serve_control(app: Flask, shop: Shop) -> None:
    """Offer what tests, the demo and people do with a simulator."""
    app.register_blueprint(control(shop.plan))
    serve_orders(app, shop.books, shop.customers, shop.sender)
    serve_staff(app, shop.staff)
    serve_subscriptions(app, shop.sender)
    serve_books(app, shop.books, shop.calls, shop.plan, shop.customers, shop.sender)


def _operation(environ: dict[str, Any]) -> tuple[str, bool]:
    if environ["PATH_INFO"].endswith("/access_token"):
        return "token", False
    found = _OPERATION.search(environ["sandbox.body"])
    if not found:
        return "graphql", True
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[1].decode()).lower(), True


def _refuse(fault: CallFault) -> tuple[str, list[tuple[str, str]], bytes]:
    if fault is CallFault.THROTTLE:
        headers = [("Content-Type", "application/json"), ("Retry-After", "2.0")]
        return "429 Too Many Requests", headers, b'{"errors":"Too many requests"}'
    html = b"<html><body>Something went wrong</body></html>"
    return "503 Service Unavailable", [("Content-Type", "text/html")], html


def _serve_admin(app: Flask, api: Api, tokens: TokenOffice) -> None:
    @app.post("/admin/oauth/access_token")
    def token() -> tuple[Response, int]:
        form = request.form
        value = tokens.issue(form.get("client_id", ""), form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials" or value is None:
            return jsonify({"error": "invalid_client"}), 400
        answer = {"access_token": value, "scope": ",".join(SCOPES), "expires_in": int(tokens.life)}
        return jsonify(answer), 200

    @app.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> tuple[Response, int]:
        if version != VERSION:
            return jsonify({"errors": "Not Found"}), 404
        if not tokens.good(request.headers.get("X-Shopify-Access-Token", "")):
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return jsonify({"errors": text}), 401
        asked = request.get_json(force=True)
        answer = jsonify(api.answer(asked["query"], asked.get("variables") or {}))
        answer.headers["X-Shopify-API-Version"] = version
        return answer, 200
