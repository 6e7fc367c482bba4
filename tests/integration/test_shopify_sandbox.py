"""How the simulated shop handles goods: what it tells, takes, gives back and shows."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import requests

from mappings.shopify import orders
from syncworkers.connectors.base import Request, Verdict
from tests.integration.shopify_goods import (
    book,
    codes,
    create,
    find,
    note,
    place,
    push,
    sent_off,
    track,
)
from tests.integration.test_shopify_connector import running
from tests.integration.world import serving


def test_the_shop_tells_of_our_own_changes_as_updates_of_the_order() -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    def listener(environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        heard.append((environ["HTTP_X_SHOPIFY_TOPIC"], json.loads(body)))
        start("200 OK", [("Content-Length", "0")])
        return [b""]

    with serving(listener) as hook, running(webhook_url=f"{hook}/hook") as (shop, made):
        place(shop, 7, 2)
        [created] = push(made, create(7, {1: 2}))
        push(made, track(7, created.external_id, tracking_number="new"))
        push(made, note(7, "INV-1"))
        end = time.monotonic() + 5
        while len(heard) < 3 and time.monotonic() < end:
            threading.Event().wait(0.01)

    bodies = sorted((body for _, body in heard), key=lambda body: body["updated_at"])
    assert {topic for topic, _ in heard} == {"orders/updated"}
    assert [body["fulfillment_status"] for body in bodies] == ["fulfilled"] * 3
    assert [body["fulfillments"][0]["tracking_number"] for body in bodies] == ["1Z7", "new", "new"]
    assert len({body["updated_at"] for body in bodies}) == 3
    # What we caused ourselves is no drift from the contract.
    assert [orders.load(json.dumps(body))[1] for body in bodies] == [()] * 3


def test_people_change_their_minds_only_while_goods_are_here() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        push(made, create(7, {1: 1}))

        early = (shop.customers.cancel("7"), shop.customers.readdress("7", {"city": "Salem"}))
        push(made, create(7, {1: 1}, tracking_number="B"))
        late = shop.customers.readdress("7", {"city": "Bend"})

        assert (early, late) == ((False, True), False)
        assert (shop.books.get("7") or {})["shipping_address"]["city"] == "Salem"


def test_the_shop_takes_a_fulfilment_order_without_lines_whole() -> None:
    with running() as (shop, _):
        place(shop, 7, 2, 3)

        shop.apps.fulfil(
            [{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/71"}], {}, notify=False
        )

        assert sent_off(shop, 7)[0]["lines"] == [
            {"id": "71", "quantity": 2},
            {"id": "72", "quantity": 3},
        ]


def test_the_shop_takes_no_more_than_25_metafields_and_none_of_them_then() -> None:
    with running() as (shop, made):
        place(shop, 7, 1)
        one = note(7, "INV-1").payload["metafields"][0]
        many = [{**one, "key": f"key{count}"} for count in range(26)]

        [outcome] = push(
            made, Request(operation="invoice.note", reference="x", payload={"metafields": many})
        )

        assert (outcome.verdict, outcome.error) == (
            Verdict.REJECTED,
            "Exceeded the maximum metafields input limit of 25.",
        )
        assert book(shop, 7)["metafields"] == {}


def test_points_for_what_did_not_come_are_given_back() -> None:
    with running(speed=1.0) as (shop, made):
        place(shop, 7, 1)
        shop.bucket.restore_rate = 0.001

        find(made, create(7, {1: 1}))

        # One order, its connection and page, one fulfilment order with one line: not the 65 asked.
        assert round(2000 - shop.bucket.take(0)[1]) == 13


def test_the_control_face_shows_and_switches_how_goods_go_off() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 1)
        url = f"{made._settings.url}/_sandbox"

        held = requests.post(f"{url}/orders/7/hold", json={}, timeout=5)
        refused = push(made, create(7, {1: 2}))
        requests.post(f"{url}/orders/7/hold", json={"held": False}, timeout=5)
        requests.post(f"{url}/orders/7/move", json={"lines": {"71": 2}}, timeout=5)
        push(made, create(7, {1: 2}))
        push(made, note(7, "INV-1"))
        progress = requests.get(f"{url}/progress", timeout=5).json()
        [order] = requests.get(f"{url}/books", timeout=5).json()["orders"]
        [made_there] = order["fulfillments"]
        back = requests.post(f"{url}/fulfillments/{made_there['id']}/cancel", timeout=5)
        unknown = requests.post(f"{url}/orders/404/hold", json={}, timeout=5)

        assert (held.status_code, back.status_code, unknown.status_code) == (202, 202, 404)
        assert codes(refused[0]) == ["store.not_fulfillable"]
        assert (progress["fulfillments"], progress["noted"]) == (1, 1)
        assert made_there["lines"] == [{"id": "71", "quantity": 2}]
        assert abs(made_there["created_at"] - time.time()) < 60
        assert order["metafields"]["erp.invoice_numbers"] == '["INV-1"]'
        assert sent_off(shop, 7)[0]["status"] == "CANCELLED"
