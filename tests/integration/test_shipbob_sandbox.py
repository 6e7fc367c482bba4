"""The simulated warehouse works, tells of it, refuses and misbehaves as the partner page says."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from mappings.shipbob import tracking as tracking_mapping
from syncworkers.connectors.base import Deadline, ProofError, Received, Request, Verdict
from syncworkers.sandbox import carriers
from syncworkers.sandbox.faults import SINGLE, CallFault, FaultPlan
from syncworkers.sandbox.shipbob import app as shipbob
from syncworkers.sandbox.shipbob import catalogue
from tests.integration.world import serving
from tests.unit.shipbob_parts import (
    CHANNEL,
    FORMER_SECRET,
    SECRET,
    TOKEN,
    cancel,
    connector,
    create,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncworkers.connectors.shipbob import ShipBob

REF = "shopify-us/1/1"
TOPICS = ["order.shipped", "order.shipment.delivered", "order.shipment.exception"]
TOPICS += ["order.shipment.on_hold", "order.shipment.cancelled"]


class Listener:
    """Where the warehouse's webhooks go; answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        with self._lock:
            self.heard.append((names, body))
            start(self.answers.pop(0) if self.answers else "200 OK", [])
        return [b""]

    @property
    def topics(self) -> list[str]:
        return [headers["x-webhook-topic"] for headers, _ in self.heard]


class Running:
    """A warehouse, its address, a connector, and who listens."""

    def __init__(self, warehouse: shipbob.Warehouse, made: ShipBob, listener: Listener) -> None:
        self.warehouse = warehouse
        self.made = made
        self.listener = listener
        self.url: str = made._settings.url

    def call(self, method: str, path: str, sent: Any = None, **headers: str) -> requests.Response:
        own = {"Authorization": f"Bearer {TOKEN}", "shipbob_channel_id": str(CHANNEL)}
        named = {name: value for name, value in {**own, **headers}.items() if value}
        address = f"{self.url}{path if path.startswith('/_') else f'/2026-01/{path}'}"
        return requests.request(method, address, json=sent, headers=named, timeout=5)

    def order(self, number: int = 1, **changes: Any) -> dict[str, Any]:
        payload = dict(create(number).payload) | changes
        answer = self.call("POST", "order", json.loads(json.dumps(payload, default=float)))
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def read(self, number: int) -> dict[str, Any]:
        return self.call("GET", f"order/{number}").json()  # type: ignore[no-any-return]

    def hear(self, count: int) -> list[Received]:
        until(lambda: len(self.listener.heard) >= count)
        return [self.made.receive(*one) for one in self.listener.heard]


@contextmanager
def running(**changes: Any) -> Iterator[Running]:
    settings: dict[str, Any] = {"speed": 100.0, "autopilot": False, "caller_deadline": 0.3}
    plan = changes.pop("plan", FaultPlan(level="none", seed=1))
    warehouse = shipbob.build(
        plan,
        token=TOKEN,
        channel_id=CHANNEL,
        **{**settings, **changes},
    )
    listener = Listener()
    with serving(listener) as hook, serving(warehouse.program) as url:
        made = connector(url, webhook_url=f"{hook}/webhooks/shipbob-west")
        warehouse.webhooks.create(TOPICS, f"{hook}/webhooks/shipbob-west", secret=SECRET)
        yield Running(warehouse, made, listener)
        made.close()


def until(done: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)


def test_the_floor_brings_every_order_to_the_door_by_itself() -> None:
    with running(autopilot=True, pace=0.02, partial_share=0.5) as here:
        numbers = range(1, 21)
        outcomes = here.made.push([create(number) for number in numbers], Deadline(5))
        assert {one.verdict for one in outcomes} == {Verdict.CONFIRMED}
        until(lambda: not here.call("GET", "/_sandbox/progress").json()["busy"])

        progress = here.call("GET", "/_sandbox/progress").json()
        books = here.call("GET", "/_sandbox/books").json()
        shipments = [one for order in books["orders"] for one in order["shipments"]]
        here.hear(2 * len(shipments))

    assert (progress["orders"], progress["open"]) == (20, 0)
    assert progress["shipped_shipments"] == progress["delivered"] == len(shipments)
    assert 20 < len(shipments) < 40
    assert {one["milestone"] for one in shipments} == {"Delivered"}
    assert len({one["tracking_number"] for one in shipments}) == len(shipments)
    assert {one["carrier"] for one in shipments} == {"USPS", "UPS", "FedEx"}
    for order in books["orders"]:
        packed = [line for one in order["shipments"] for line in one["lines"]]
        assert sum(line["quantity"] for line in packed) == 3
        assert {line["inventory_id"] for line in packed} == {20000001, 20000003}
    assert sorted(set(here.listener.topics)) == ["order.shipment.delivered", "order.shipped"]


def settle(made: ShipBob, wanted: list[Request]) -> dict[str, str | None]:
    """Push until all is done, as the core does: what is unknown is looked up, twice if absent."""
    done: dict[str, str | None] = {}
    absences: dict[str, int] = {}
    end = time.monotonic() + 30
    while len(done) < len(wanted) and time.monotonic() < end:
        left = [one for one in wanted if one.reference not in done]
        fresh = [one for one in left if one.reference not in absences]
        unknown = [one for one in left if one.reference in absences]
        outcomes = [*made.push(fresh, Deadline(2)), *made.find(unknown, Deadline(2))]
        for one, outcome in zip([*fresh, *unknown], outcomes, strict=True):
            assert outcome.verdict is not Verdict.REJECTED, outcome
            if outcome.verdict in {Verdict.CONFIRMED, Verdict.ADOPTED}:
                done[one.reference] = outcome.external_id
            elif outcome.verdict is Verdict.UNKNOWN:
                absences[one.reference] = 0
            elif outcome.verdict is Verdict.ABSENT:
                absences[one.reference] += 1
                if absences[one.reference] == 2:
                    del absences[one.reference]
        threading.Event().wait(0.2)
    return done


def test_under_random_faults_every_part_is_created_and_called_off_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.1)
    monkeypatch.setattr("syncworkers.sandbox.transport.OUTAGE", 0.3)
    with running(plan=FaultPlan(level="normal", seed=3), caller_deadline=0.3) as here:
        made = connector(here.url, call_deadline=0.3)
        numbers = range(1, 21)

        created = settle(made, [create(number) for number in numbers])
        ids = {one.reference: str(one.id) for one in here.warehouse.books.orders.values()}
        called_off = settle(made, [cancel(n, created[f"shopify-us/{n}/1"]) for n in numbers])
        made.close()

        faults = here.warehouse.plan.counts()
        assert created == called_off == ids
        assert len(here.warehouse.books.orders) == 20
        assert {one.status for one in here.warehouse.books.orders.values()} == {"Cancelled"}
        assert {f"call.{fault.value}" for fault in SINGLE} <= faults.keys()


def test_two_parcels_of_an_order_leave_in_either_order() -> None:
    firsts = set()
    with running(autopilot=True, pace=0.02, partial_share=1.0) as here:
        here.made.push([create(number) for number in range(1, 13)], Deadline(5))
        until(lambda: not here.warehouse.floor.busy)
        for order in here.warehouse.books.orders.values():
            first, second = order.shipments
            assert first.shipped_at
            assert second.shipped_at
            firsts.add(first.shipped_at < second.shipped_at)

    assert firsts == {True, False}


def test_what_is_called_off_in_time_is_not_shipped_by_itself() -> None:
    with running(autopilot=True, pace=0.1) as here:
        order = here.order()
        assert here.call("POST", f"order/{order['id']}:cancel").json()["status"] == "Success"
        until(lambda: not here.warehouse.floor.busy)

        assert here.read(order["id"])["status"] == "Cancelled"
        assert here.read(order["id"])["shipments"][0]["tracking"]["tracking_number"] is None


def test_every_step_is_told_to_who_asked_and_proven() -> None:
    with running() as here:
        numbers = [here.order(number)["id"] for number in (1, 2, 3)]
        floor = here.warehouse.floor
        steps = ["accept", "hold", "fail", "accept", "label", "ship"]
        assert [getattr(floor, step)(REF) for step in steps] == [True] * 6
        assert here.call("POST", f"order/{numbers[1]}:cancel").json()["status"] == "Success"
        heard = here.hear(4)

    assert sorted(one.topic for one in heard) == [
        "order.shipment.cancelled",
        "order.shipment.exception",
        "order.shipment.on_hold",
        "order.shipped",
    ]
    assert {one.entity for one in heard} == {str(numbers[0]), str(numbers[1])}
    shipped = [json.loads(body) for headers, body in here.listener.heard
               if headers["x-webhook-topic"] == "order.shipped"]  # fmt: skip
    assert (shipped[0]["id"], shipped[0]["status"]) == (numbers[0], "Fulfilled")


def test_each_step_is_taken_only_when_it_is_its_turn() -> None:
    with running() as here:
        here.order()
        floor = here.warehouse.floor

        assert not floor.label("nobody's")
        assert floor.label(REF)
        assert [floor.label(REF), floor.hold(REF), floor.accept(REF)] == [False] * 3
        assert floor.ship(REF)
        assert [floor.ship(REF), floor.cancel(REF)] == [False] * 2


def test_a_cancel_by_hand_is_told_to_nobody() -> None:
    with running() as here:
        order = here.order()
        assert here.warehouse.floor.cancel(REF)

        assert here.read(order["id"])["status"] == "Cancelled"
        assert here.warehouse.webhooks.pending() == 0
        assert here.listener.heard == []


def test_goods_nobody_sent_in_put_an_order_aside() -> None:
    with running() as here:
        line = {"reference_id": "NEW-1", "name": "New", "quantity": 1}
        order = here.order(products=[line, {**line, "reference_id": "NEW-2"}])
        [heard] = here.hear(1)

    [shipment] = order["shipments"]
    assert (order["status"], shipment["status"]) == ("Exception", "Exception")
    assert [one["name"] for one in shipment["status_details"]] == ["OutOfStock"] * 2
    assert heard.topic == "order.shipment.exception"
    ids = [one["inventory_items"][0]["id"] for one in shipment["products"]]
    assert len({*ids, *catalogue.INVENTORY.values()}) == len(catalogue.INVENTORY) + 2


def test_every_change_is_later_than_the_one_before() -> None:
    with running() as here:
        number = here.order()["id"]
        seen = [here.read(number)["shipments"][0]["last_update_at"]]
        for step in ("accept", "hold", "accept", "label", "ship"):
            getattr(here.warehouse.floor, step)(REF)
            seen.append(here.read(number)["shipments"][0]["last_update_at"])

    times = [dt.datetime.fromisoformat(one) for one in seen]
    assert times == sorted(set(times))


def test_a_webhook_that_is_not_taken_comes_again_signed_anew() -> None:
    with running() as here:
        here.listener.answers = ["302 Found"]
        here.order()
        here.warehouse.floor.ship(REF)
        heard = here.hear(2)

    assert {one.external_id for one in heard} == {heard[0].external_id}
    assert {body for _, body in here.listener.heard} == {here.listener.heard[0][1]}


def test_a_doubled_webhook_has_one_id() -> None:
    with running() as here:
        here.warehouse.plan.switch({"webhooks": ["duplicate"]})
        here.order()
        here.warehouse.floor.ship(REF)
        heard = here.hear(2)

    assert heard[0].external_id == heard[1].external_id
    assert here.warehouse.plan.counts() == {"webhook.duplicate": 1}


def test_a_rotated_secret_signs_beside_the_former_one() -> None:
    with running() as here:
        here.order()
        answer = here.call("POST", "/_sandbox/webhooks/rotate", {"secret": "whsec_" + "N" * 32})
        here.warehouse.floor.ship(REF)
        [heard] = here.hear(1)
        signatures = here.listener.heard[0][0]["webhook-signature"].split(" ")

    assert answer.status_code == 202
    assert heard.topic == "order.shipped"
    assert len(signatures) == 2


def test_any_topic_may_be_sent_with_any_signature() -> None:
    with running() as here:
        [shipment] = here.order()["shipments"]
        path = f"/_sandbox/shipments/{shipment['id']}/notify"
        here.call("POST", path, {"topic": "wro.box.arrived"})
        [strange] = here.hear(1)
        here.call("POST", path, {"topic": "order.shipped", "secret": FORMER_SECRET})
        until(lambda: len(here.listener.heard) == 2)
        here.call("POST", path, {"topic": "order.shipped", "secret": "whsec_" + "X" * 32})
        until(lambda: len(here.listener.heard) == 3)

        assert strange.topic not in here.made.handled
        assert here.made.receive(*here.listener.heard[1]).topic == "order.shipped"
        with pytest.raises(ProofError, match="wrong"):
            here.made.receive(*here.listener.heard[2])
        assert here.call("POST", "/_sandbox/shipments/5/notify", {}).status_code == 404


def test_the_control_face_works_the_floor() -> None:
    with running() as here:
        order = here.order()
        steps = [
            ("accept", {}),
            ("hold", {}),
            ("accept", {}),
            ("ship", {"lines": {"MUG-BLU-01": 1}}),
            ("label", {}),
            ("fail", {}),
            ("cancel", {}),
        ]
        statuses = [
            here.call("POST", f"/_sandbox/orders/{REF}/{step}", sent).status_code
            for step, sent in steps
        ]
        gone, called_off = here.read(order["id"])["shipments"]

    assert statuses == [202, 202, 202, 202, 202, 404, 202]
    assert (gone["status"], called_off["status"]) == ("Completed", "Cancelled")
    assert [
        (one["sku"], one["inventory_items"][0]["quantity"])
        for shipment in (gone, called_off)
        for one in shipment["products"]
    ] == [("MUG-BLU-01", 1), ("MUG-BLU-01", 1), ("KETTLE-08", 1)]


def test_carriers_say_whatever_they_are_told_to() -> None:
    with running() as here:
        [shipment] = here.order()["shipments"]
        path = f"/_sandbox/shipments/{shipment['id']}/milestone"
        assert here.call("POST", path, {"status": "InTransit"}).status_code == 404
        here.warehouse.floor.ship(REF)
        for sent in (
            {"status": "InTransit", "substatus": "OutForDelivery", "location": "Reno, NV"},
            {"status": "Beamed up", "at": "2026-11-24T10:00:00+00:00"},
        ):
            assert here.call("POST", path, sent).status_code == 202

        answer = here.call("GET", f"shipments-tracking?ShipmentIds={shipment['id']},5")
        [entry] = answer.json()
        report, _ = tracking_mapping.load(json.dumps(entry))

    assert (entry["status"], entry["carrier_tracking_number"]) == (
        "Beamed up",
        entry["tracking_id"],
    )
    assert [one.code for one in report.milestones] == [
        "Beamed up",
        "PreTransit/Label created",
        "InTransit/OutForDelivery",
    ]


def test_an_order_nobody_of_ours_sent_is_shipped_all_the_same() -> None:
    with running() as here:
        made = here.call("POST", "/_sandbox/orders/foreign", {"sku": "KETTLE-08"}).json()
        [heard] = here.hear(1)
        [record] = here.made.fetch("shipment", [str(made["id"])])

    assert (heard.topic, heard.entity) == ("order.shipped", str(made["id"]))
    assert json.loads(record.body)["reference_id"] == made["reference"] == "by-hand-1"
    assert json.loads(record.body)["status"] == "Fulfilled"


def test_the_books_tell_an_auditor_everything() -> None:
    with running() as here:
        order = here.order()
        here.order(2)
        here.call("POST", "order", json.loads(json.dumps(dict(create().payload), default=float)))
        second = here.warehouse.books.references["shopify-us/2/1"]
        here.call("POST", f"order/{second.id}:cancel")
        here.warehouse.floor.ship(REF)
        books = here.call("GET", "/_sandbox/books").json()

    [first, other] = books["orders"]
    [parcel] = first.pop("shipments")
    assert first == {
        "id": order["id"],
        "reference": REF,
        "number": "1001",
        "created_at": pytest.approx(time.time(), abs=10),
        "status": "Fulfilled",
        "cancelled": False,
        "shipping_method": "Standard",
        "recipient": {
            "name": "Ada Byron",
            "address1": "12 Main St",
            "city": "Portland",
            "zip_code": "97201",
            "state": "OR",
            "country": "US",
        },
        "products": [
            {"sku": "MUG-BLU-01", "quantity": 2, "external_line_id": 1},
            {"sku": "KETTLE-08", "quantity": 1, "external_line_id": 2},
        ],
    }
    assert parcel == {
        "id": order["shipments"][0]["id"],
        "status": "Completed",
        "recipient": first["recipient"],
        "shipped": True,
        "shipped_at": pytest.approx(time.time(), abs=10),
        "carrier": parcel["carrier"],
        "tracking_number": parcel["tracking_number"],
        "lines": [
            {"sku": "MUG-BLU-01", "inventory_id": 20000001, "quantity": 2},
            {"sku": "KETTLE-08", "inventory_id": 20000003, "quantity": 1},
        ],
        "milestone": "PreTransit",
    }
    assert (other["cancelled"], other["shipments"][0]["shipped_at"]) == (True, None)
    assert (books["duplicate_attempts"], books["cancel_answers"]) == (1, {"Success": 1})
    assert books["calls_by_operation"] == {"cancel": 1, "create": 3}
    assert books["faults"] == {}


def test_refusals_come_in_every_shape_of_the_page() -> None:
    with running() as here:
        order = here.order()
        here.warehouse.floor.label(REF)
        shipment = order["shipments"][0]["id"]
        bare = {"reference_id": "", "type": "X", "products": [{"quantity": 0}, 5]}
        calls = [
            here.call("POST", "order", bare),
            here.call("POST", "order"),
            here.call("POST", "order", {}, shipbob_channel_id=""),
            here.call("POST", "order", {}, shipbob_channel_id="5"),
            here.call("GET", "order", Authorization="Bearer old"),
            here.call("GET", "order?SortOrder=Random"),
            here.call("GET", "order?Limit=251"),
            here.call("GET", "order?LastUpdateStartDate=soon"),
            here.call("GET", "order?IDs=x"),
            here.call("GET", "order/5"),
            here.call("POST", f"shipment/{shipment}:cancel"),
            here.call("PUT", f"shipment/{shipment}:updateAddress", {"city": "Salem"}),
            here.call("PUT", "shipment/5:updateAddress", {}),
            here.call("GET", "shipments-tracking?ShipmentIds="),
            here.call("GET", f"shipments-tracking?ShipmentIds={','.join(['1'] * 26)}"),
            here.call("GET", "webhook?Cursor=?"),
            here.call("POST", "webhook", {"topics": ["tea"], "url": "http://a.example"}),
            here.call("GET", "nothing"),
        ]

    assert [answer.status_code for answer in calls] == [
        *(400, 400, 400, 403, 401, 400, 400, 400, 400, 404, 422, 400, 400, 400, 400, 400, 422, 404)
    ]
    assert calls[0].json() == {
        "reference_id": ["The reference_id field is required."],
        "shipping_method": ["The shipping_method field is required."],
        "type": ["The type field must be one of DTC, DropShip, B2B."],
        "recipient": ["The recipient field is required."],
        "products[0].reference_id": ["The reference_id field is required."],
        "products[0].name": ["The name field is required."],
        "products[0].quantity": ["The field quantity must be between 1 and 2147483647."],
        "products[1]": ["The product cannot be read."],
    }
    assert [answer.content for answer in calls if answer.status_code in {401, 403}] == [b"", b""]
    assert calls[10].json() == {"errors": ["Shipment is already labeled"]}
    assert calls[11].json()["code"] == "VALIDATION_ERROR"
    assert isinstance(calls[13].json(), str)
    assert calls[16].json()["value"]["errors"][1] == "url must use https."


def test_orders_are_listed_by_every_filter_in_numbered_pages() -> None:
    with running() as here:
        numbers = [here.order(number)["id"] for number in (1, 2, 3)]
        here.warehouse.floor.ship("shopify-us/2/1")
        second = here.warehouse.books.orders[numbers[1]]
        moment = second.created_at.isoformat().replace("+", "%2B")

        def listed(query: str) -> list[int]:
            return [one["id"] for one in here.call("GET", f"order?{query}").json()]

        assert listed("") == numbers[::-1]
        assert listed("SortOrder=Oldest") == numbers
        assert listed("HasTracking=true") == numbers[1:2]
        assert listed(f"IDs={numbers[0]},{numbers[2]},5&SortOrder=Oldest") == numbers[::2]
        assert listed("ReferenceIds=shopify-us/3/1,x") == numbers[2:]
        assert listed(f"StartDate={moment}&SortOrder=Oldest") == numbers[1:]
        assert listed(f"EndDate={moment}&SortOrder=Oldest") == numbers[:2]
        first = here.call("GET", "order?SortOrder=Oldest&Limit=2")
        last = requests.get(
            f"{here.url}{first.headers['next-page']}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=5,
        )
        assert [one["id"] for one in first.json()] == numbers[:2]
        assert [one["id"] for one in last.json()] == numbers[2:]
        assert "next-page" not in last.headers


def test_subscriptions_are_made_listed_and_forgotten() -> None:
    with running() as here:
        for _ in range(2):
            made = here.call(
                "POST", "webhook", {"topics": ["order.shipped"], "url": "https://a.example"}
            ).json()
        page = here.call("GET", "webhook?RecordsPerPage=2").json()
        rest = here.call("GET", page["next"].removeprefix("/2026-01/")).json()

        assert [len(one["items"]) for one in (page, rest)] == [2, 1]
        assert (page["prev"], rest["next"]) == (None, None)
        assert rest["items"][0]["id"] == made["id"]
        assert "secret" not in rest["items"][0]
        assert made["secret"].startswith("whsec_")
        assert here.call("DELETE", f"webhook/{made['id']}").status_code == 204
        assert here.call("DELETE", f"webhook/{made['id']}").status_code == 404


def test_one_shipment_may_be_called_off_alone() -> None:
    with running() as here:
        order = here.order()
        here.warehouse.floor.ship(REF, {"KETTLE-08": 1})
        gone, still = here.read(order["id"])["shipments"]

        answer = here.call("POST", f"shipment/{still['id']}:cancel")

        assert (answer.status_code, answer.json()["status"]) == (200, "Cancelled")
        assert here.call("POST", f"shipment/{gone['id']}:cancel").status_code == 422
        assert here.call("POST", "shipment/5:cancel").status_code == 404
        assert here.read(order["id"])["status"] == "Fulfilled"


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (CallFault.THROTTLE, 429, {"x-retry-after": "1", "x-remaining-calls": "0"}),
        (CallFault.SERVER_ERROR, 503, {"Content-Type": "text/html"}),
    ],
)
def test_injected_refusals_are_the_partners_own(
    fault: CallFault, status: int, headers: dict[str, str]
) -> None:
    with running() as here:
        here.call("POST", "/_sandbox/faults", {"next": [fault.value]})
        answer = here.call("GET", "channel")

        assert answer.status_code == status
        assert headers.items() <= dict(answer.headers).items()
        assert here.call("GET", "channel").status_code == 200
        assert here.warehouse.calls.books()["calls_by_operation"]["channels"] == 2


def test_a_token_is_asked_for_everywhere_but_on_the_control_face() -> None:
    with running() as here:
        for path in ("order", "order/1", "channel", "webhook", "shipping-method", "nothing"):
            assert here.call("GET", path, Authorization="").status_code == 401
        assert here.call("GET", "/_sandbox/health", Authorization="").status_code == 200


def test_parcels_are_numbered_as_carriers_do() -> None:
    assert carriers.ups_check("999AA1012345678") == 4
    assert carriers.fedex_check("98657878885") == 5
    assert carriers.usps_check("940551189922319742849") == 0
    numbers = [make(serial) for make in (carriers.ups, carriers.usps, carriers.fedex)
               for serial in range(1, 200)]  # fmt: skip
    assert len(set(numbers)) == len(numbers)
    assert {len(number) for number in numbers} == {18, 22, 12}


def test_the_catalogue_is_what_the_configuration_maps_to() -> None:
    config = Path(__file__).resolve().parents[2] / "config" / "fulfilment.toml"
    tables = tomllib.loads(config.read_text(encoding="utf-8"))["warehouses"]["shipbob-west"]

    assert tables["items"] == {sku: str(number) for sku, number in catalogue.INVENTORY.items()}
    assert set(tables["shipping_methods"].values()) == {"Standard", "2-Day"}
    assert {catalogue.method_of(one) for one in tables["shipping_methods"].values()} == {
        "Standard",
        "2-Day",
    }


def test_the_secret_we_subscribed_with_signs() -> None:
    with running() as here:
        assert here.made.subscribe() == []
        [first] = here.warehouse.webhooks.all()
        assert here.call("DELETE", f"webhook/{first.id}").status_code == 204

        assert here.made.subscribe() == sorted(TOPICS)
        assert [one.secrets for one in here.warehouse.webhooks.all()] == [(SECRET,)]
        assert sorted(here.warehouse.webhooks.all()[0].topics) == sorted(TOPICS)
