"""A simulated toyshop, with its own books and fault switches."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from typing import Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.faults import CallFault, FaultPlan
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.transport import FaultyTransport

Order = dict[str, Any]
PAGE = 50


class ToyShop:
    """Sells toys; whoever has the key reads orders, and tells of shipments and invoices."""

    def __init__(self, key: str, *, caller_deadline: float = 2.0) -> None:
        self.key = key
        self.lock = threading.Lock()
        self.orders: dict[str, Order] = {}
        self.shipments: dict[str, dict[str, Any]] = {}
        """By the reference of whoever told of them."""
        self.notes: dict[str, list[str]] = {}
        self.plan, self.calls = FaultPlan(level="none", seed=1), CallLog()
        app = flask_app(__name__)
        app.register_blueprint(control(self.plan))
        self._serve_orders(app)
        self._serve_changes(app)
        self.program = FaultyTransport(
            app,
            self.plan,
            self.calls,
            caller_deadline=caller_deadline,
            operation=lambda environ: (environ["PATH_INFO"].split("/")[1], True),
            refuse=_refuse,
        )

    def sell(self, number: int, **lines: int) -> Order:
        """Sell units by SKU, at five dollars each."""
        order = {
            "id": str(number),
            "changed": time.time(),
            "placed": "2026-11-24T10:00:00Z",
            "to": {"name": "Ada", "street": "1 Main St", "city": "Eugene", "zip": "97401"},
            "lines": [
                {
                    "id": f"{number}-{sku}",
                    "sku": sku.replace("_", "-"),
                    "units": units,
                    "cents": 500,
                }
                for sku, units in lines.items()
            ],
        }
        with self.lock:
            self.orders[str(number)] = order
        return order

    def sign(self, body: bytes) -> str:
        """Sign what the shop sends by itself."""
        return hmac.new(self.key.encode(), body, hashlib.sha256).hexdigest()

    def _serve_orders(self, app: Flask) -> None:
        @app.before_request
        def check() -> tuple[Response, int] | None:
            known = request.path.startswith("/_sandbox") or request.headers.get("X-Key") == self.key
            return None if known else (jsonify({"error": "who are you?"}), 401)

        @app.get("/orders")
        def orders() -> Response:
            with self.lock:
                rows = sorted(self.orders.values(), key=lambda one: int(one["id"]))
            page = int(request.args.get("page", 1))
            some = rows[(page - 1) * PAGE : page * PAGE]
            return jsonify({"orders": some, "more": page * PAGE < len(rows)})

        @app.get("/orders/<number>")
        def order(number: str) -> tuple[Response, int]:
            with self.lock:
                found = self.orders.get(number)
            return (jsonify(found), 200) if found else (jsonify({"error": "no such order"}), 404)

    def _serve_changes(self, app: Flask) -> None:
        @app.get("/shipments/<path:reference>")
        def shipment(reference: str) -> tuple[Response, int]:
            with self.lock:
                found = self.shipments.get(reference)
            return (jsonify(found), 200) if found else (jsonify({"error": "no such one"}), 404)

        @app.post("/shipments")
        def ship() -> tuple[Response, int]:
            sent: Any = request.get_json(force=True)
            with self.lock:
                ordered = {one["id"]: one["units"] for one in self.orders[sent["order"]]["lines"]}
                for line, units in sent["lines"].items():
                    if units > ordered.get(line, 0):
                        return jsonify({"error": f"only {ordered.get(line, 0)} of {line}"}), 422
                if sent["reference"] in self.shipments:
                    return jsonify(self.shipments[sent["reference"]]), 409
                made = {**sent, "id": f"S{len(self.shipments) + 1}"}
                self.shipments[sent["reference"]] = made
            return jsonify(made), 201

        @app.put("/orders/<number>/notes")
        def note(number: str) -> Response:
            with self.lock:
                self.notes[number] = request.get_json(force=True)
            return jsonify({"ok": True})


def _refuse(fault: CallFault) -> tuple[str, list[tuple[str, str]], bytes]:
    kind = ("Content-Type", "application/json")
    if fault is CallFault.THROTTLE:
        return "429 Too Many Requests", [kind, ("Retry-After", "2")], b"{}"
    return "500 Internal Server Error", [kind], json.dumps({"error": "oh"}).encode()
