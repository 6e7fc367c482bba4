"""`shipment.create` and `shipment.track`: what left is shipped there too, once.

Contract: `POST /V1/order/{id}/ship`, never `POST /V1/shipment`, which leaves the order as it was
(magento2 #3307). There is no key: before anything is made, the order's shipments are read; ours is
the one whose comment has our key, or whose track has our number.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.adobe_commerce.answers import NO_PRODUCTS
from syncworkers.connectors.adobe_commerce.markers import keys_in, marked
from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.adobe_commerce.calls import Calls, Look
    from syncworkers.connectors.adobe_commerce.instance import Fields
    from syncworkers.connectors.base import Request

THREADS = 4
CREATE, TRACK = "shipment.create", "shipment.track"
DIFFERS = "store.shipment_differs"


def push(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Ship what is not shipped there yet; what is there under our key is adopted."""
    look = _look(calls, requests)
    if isinstance(look, Outcome):
        return [look for _ in requests]
    work = partial(_push_one, calls, look)
    if len(requests) == 1:
        return [work(requests[0])]
    with ThreadPoolExecutor(min(THREADS, len(requests))) as pool:
        return list(pool.map(work, requests))


def find(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Look the shipments up by our key or track."""
    look = _look(calls, requests)
    if isinstance(look, Outcome):
        return [look for _ in requests]
    absent = Outcome(verdict=Verdict.ABSENT)
    return [look.reply.sign(_recognise(look, request) or absent) for request in requests]


def _look(calls: Calls, requests: Sequence[Request]) -> Look | Outcome:
    """Read the shipments of all these orders."""
    return calls.search_in("shipments", "order_id", (one.payload["order"] for one in requests))


def _push_one(calls: Calls, look: Look, request: Request) -> Outcome:
    known = _recognise(look, request)
    if known is not None:
        return look.reply.sign(known)
    if request.operation == CREATE:
        return _ship(calls, request)
    return _track(calls, look, request)


def _of_order(look: Look, request: Request) -> list[Fields]:
    number = request.payload["order"]
    return [row for row in look.rows if str(row.get("order_id")) == number]


def _recognise(look: Look, request: Request) -> Outcome | None:
    """Adopt what is ours and as we want it; None where it is not there."""
    shipments = _of_order(look, request)
    if request.operation == TRACK:
        number = request.payload["track"]["track_number"]
        mine = [one for one in shipments if number in _numbers(one)]
        return _adopted(mine[0]) if mine else None
    mine = [one for one in shipments if request.reference in keys_in(one.get("comments") or ())]
    if mine:
        return _adopted(mine[0])
    wanted = {str(item["order_item_id"]): float(item["qty"]) for item in request.payload["items"]}
    for number in (track["track_number"] for track in request.payload["tracks"]):
        for one in shipments:
            if number in _numbers(one) and _id(one) not in request.taken:
                return _adopted(one) if _units(one) == wanted else _differs(one, number)
    return None


def ship_body(request: Request, sources: Mapping[str, str]) -> dict[str, Any]:
    """Write the body that ships; `sources` are source codes by warehouse."""
    payload = request.payload
    body: dict[str, Any] = {
        "items": payload["items"],
        "notify": payload["notify"],
        "appendComment": True,
        "comment": {
            "comment": marked("shipped", request.reference),
            "is_visible_on_front": 0,
        },
        "tracks": payload["tracks"],
    }
    source = sources.get(payload["warehouse"])
    if source:
        body["arguments"] = {"extension_attributes": {"source_code": source}}
    return body


def track_body(request: Request, shipment_id: str) -> dict[str, Any]:
    """Write the body that adds a track to a shipment."""
    return {
        "entity": {
            "order_id": int(request.payload["order"]),
            "parent_id": int(shipment_id),
            "weight": 0,
            "qty": request.payload["qty"],
            "description": marked("", request.reference),
            **request.payload["track"],
        }
    }


def _ship(calls: Calls, request: Request) -> Outcome:
    body = ship_body(request, calls.instance.settings.sources)
    path = f"order/{request.payload['order']}/ship"
    reply = calls.change("POST", path, body)
    if reply.refusal is not None and NO_PRODUCTS in reply.refusal.text:
        bundles = _as_bundles(calls, request)
        if bundles:
            reply = calls.change("POST", path, {**body, "items": bundles})
    if reply.failure is not None:
        return reply.failure
    made = str(reply.value).strip('"')
    if not made.isdecimal():
        return reply.sign(Outcome(verdict=Verdict.UNKNOWN, error="no id in the answer"))
    return reply.sign(Outcome(verdict=Verdict.CONFIRMED, external_id=made))


def _as_bundles(calls: Calls, request: Request) -> list[dict[str, Any]]:
    """Name the bundles instead of their parts: some can only be shipped together.

    Nothing, unless all that is wanted are whole bundles.
    """
    found = calls.search_in("orders", "entity_id", [request.payload["order"]])
    if isinstance(found, Outcome) or not found.rows:
        return []
    rows = {str(row.get("item_id")): row for row in found.rows[0].get("items") or ()}
    wanted = {str(one["order_item_id"]): one["qty"] for one in request.payload["items"]}
    items: dict[str, dict[str, Any]] = {}
    for key, units in wanted.items():
        parent = str(rows.get(key, {}).get("parent_item_id") or "")
        if not parent:
            items[key] = {"order_item_id": int(key), "qty": units}
            continue
        parts = [one for one in rows.values() if str(one.get("parent_item_id")) == parent]
        if any(wanted.get(str(one["item_id"])) != one.get("qty_ordered") for one in parts):
            return []
        items[parent] = {
            "order_item_id": int(parent),
            "qty": rows[parent].get("qty_ordered"),
        }
    return list(items.values())


def _track(calls: Calls, look: Look, request: Request) -> Outcome:
    mine = next(
        (
            one
            for one in _of_order(look, request)
            if _id(one) == request.external_id
            or request.reference in keys_in(one.get("comments") or ())
        ),
        None,
    )
    if mine is None:
        message = "the shipment that this number belongs to is not there: find out who removed it"
        return look.reply.sign(_rejected("store.shipment_missing", message))
    reply = calls.change("POST", "shipment/track", track_body(request, _id(mine)))
    if reply.failure is not None:
        return reply.failure
    return reply.sign(Outcome(verdict=Verdict.CONFIRMED, external_id=_id(mine)))


def _id(shipment: Fields) -> str:
    return str(shipment.get("entity_id", ""))


def _numbers(shipment: Fields) -> set[str]:
    return {
        str(track.get("track_number"))
        for track in shipment.get("tracks") or ()
        if isinstance(track, dict)
    }


def _units(shipment: Fields) -> dict[str, float]:
    return {
        str(item.get("order_item_id")): float(item.get("qty") or 0)
        for item in shipment.get("items") or ()
        if isinstance(item, dict)
    }


def _adopted(shipment: Fields) -> Outcome:
    return Outcome(verdict=Verdict.ADOPTED, external_id=_id(shipment))


def _differs(shipment: Fields, number: str) -> Outcome:
    message = f"shipment {_id(shipment)} has our tracking number {number}, and other lines"
    return _rejected(DIFFERS, message)


def _rejected(code: str, message: str) -> Outcome:
    violation = Violation(path="", code=code, message=message)
    return Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))
