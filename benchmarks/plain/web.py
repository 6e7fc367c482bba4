"""The view: check the signature, hand the payload to a task."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from flask import Flask, abort, request

from benchmarks.plain.tasks import receive

application = Flask(__name__)


@application.post("/webhooks/shopify-us")
def webhook() -> dict[str, str]:
    """Take an order."""
    secret = os.environ["SHOPIFY_US_CLIENT_SECRET"].encode()
    digest = base64.b64encode(hmac.new(secret, request.get_data(), hashlib.sha256).digest())
    if not hmac.compare_digest(digest.decode(), request.headers.get("X-Shopify-Hmac-Sha256", "")):
        abort(401)
    receive(request.get_json())
    return {"status": "ok"}


@application.get("/healthz")
def healthz() -> dict[str, bool]:
    """Answer once it is up."""
    return {"ok": True}
