"""The API around orders: channels, shipping methods, webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.shipbob import catalogue, queries
from syncworkers.sandbox.shipbob.api import VERSION
from syncworkers.sandbox.shipbob.refusals import RefusedError
from syncworkers.sandbox.shipbob.webhooks import SECRET

if TYPE_CHECKING:
    from syncworkers.sandbox.shipbob.webhooks import Webhooks

Fields = dict[str, Any]
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
"""Only here an address need not be https."""


def serve_account(app: Flask, webhooks: Webhooks, channel_id: int) -> None:
    """Offer channels, shipping methods and webhooks."""

    @app.get(f"{VERSION}/channel")
    def channels() -> Response:
        rows = catalogue.channel_views(channel_id)
        return jsonify(queries.linked(request.path, request.args.to_dict(), rows))

    @app.get(f"{VERSION}/shipping-method")
    def methods() -> Response:
        rows = catalogue.method_views()
        some, headers = queries.numbered(request.path, request.args.to_dict(), rows)
        answer = jsonify(some)
        answer.headers.update(headers)
        return answer

    @app.get(f"{VERSION}/webhook")
    def subscriptions() -> Response:
        rows = [one.view() for one in webhooks.all()]
        return jsonify(queries.linked(request.path, request.args.to_dict(), rows))

    @app.post(f"{VERSION}/webhook")
    def subscribe() -> Response:
        sent: Any = request.get_json(force=True, silent=True)
        _refuse(_wrong(sent))
        made = webhooks.create(
            sent["topics"],
            sent["url"],
            description=sent.get("description") or "",
            secret=sent.get("secret") or "",
        )
        view = {**made.view(), "secret": made.secrets[0]}
        del view["enabled"]
        return jsonify(view)

    @app.delete(f"{VERSION}/webhook/<subscription_id>")
    def unsubscribe(subscription_id: str) -> Response:
        return Response(status=204 if webhooks.delete(subscription_id) else 404)


def _refuse(wrong: list[str]) -> None:
    if wrong:
        body: Fields = {
            "$type": "UnprocessableEntityObjectResult",
            "value": {"errors": wrong},
            "formatters": [],
            "content_types": [],
            "declared_type": None,
            "status_code": 422,
        }
        raise RefusedError(422, body)


def _wrong(sent: Any) -> list[str]:
    if not isinstance(sent, dict):
        return ["A request body is required."]
    wrong = []
    topics = sent.get("topics")
    if not isinstance(topics, list) or not topics or not catalogue.TOPICS.issuperset(topics):
        wrong.append(f"topics must be some of {', '.join(sorted(catalogue.TOPICS))}.")
    address = urlsplit(str(sent.get("url") or ""))
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        wrong.append("url must use https.")
    secret = sent.get("secret")
    if secret and not SECRET.fullmatch(str(secret)):
        wrong.append("secret must match ^whsec_[a-zA-Z0-9+/]{32}$.")
    return wrong
