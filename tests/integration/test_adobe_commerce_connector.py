"""The Adobe Commerce connector against the simulated instance, over real sockets."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mappings.adobe_commerce import orders as mapping
from syncworkers.connectors.adobe_commerce import AdobeCommerce
from syncworkers.connectors.base import Deadline, Ports, ProofError, Request, Verdict
from syncworkers.engine.budgets import LocalBudget
from syncworkers.errors import CredentialsError, RetryableError
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.adobe_commerce import app as adobe
from syncworkers.sandbox.adobe_commerce.books import now_text
from syncworkers.sandbox.adobe_commerce.maker import OrderMaker
from syncworkers.sandbox.faults import FaultPlan
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncworkers.connectors.base import Outcome, Token

PATIENCE = 2.0
"""Seconds a call may take: long enough for a busy machine, short enough for a test of a hang."""
SECRETS = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer-secret-77",
    "access_token": "access-token-77",
    "access_token_secret": "access-token-secret-77",
}
CLIENT = {"client_id": "project", "client_secret": "client-secret-77"}


class Tokens:
    """Tokens of this process alone."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str, fetch: Callable[[], Token]) -> str:
        if name not in self.kept:
            self.kept[name] = fetch().value
        return self.kept[name]

    def drop(self, name: str, token: str) -> None:
        if self.kept.get(name) == token:
            del self.kept[name]


def connector(address: str, **changes: Any) -> AdobeCommerce:
    connection = {
        "flavour": "paas",
        "url": address,
        "event_client_id": "project",
        "event_keys": address,
        "sources": {"shipbob-eu": "eu_wh"},
        **({} if {"bearer", "client_id"} & changes.keys() else SECRETS),
        **changes,
    }
    policy = PartnerPolicy(
        name="adobe-eu",
        connector="adobe_commerce",
        role="store",
        brand="lumen",
        connection=connection,
        lane=LanePolicy(call_deadline=PATIENCE),
    )
    return AdobeCommerce(
        policy, Ports(tokens=Tokens(), budget=LocalBudget(maximum=2000.0, rate=1000.0))
    )


@contextmanager
def running(**changes: Any) -> Iterator[tuple[adobe.Instance, AdobeCommerce]]:
    shop = adobe.build(
        FaultPlan(level="none", seed=1), **SECRETS, **CLIENT, caller_deadline=PATIENCE
    )
    with serving(shop.program) as address:
        if changes.get("flavour") == "saas":
            changes |= {"token_url": f"{address}{adobe.TOKEN_PATH}", "organisation": "org@AdobeOrg"}
            changes |= CLIENT
        made = connector(address, **changes)
        yield shop, made
        made.close()


def sell(shop: adobe.Instance, *, kind: str = "simple", seed: int = 7) -> dict[str, Any]:
    """Place an order that has a product of this kind, and is shipped."""
    maker = OrderMaker(seed)
    while True:
        order = maker.make(now_text())
        if not order["is_virtual"] and any(one["product_type"] == kind for one in order["items"]):
            shop.books.place(order)
            return order


def shipment(order: dict[str, Any], **changes: Any) -> Request:
    """Ask for everything to be shipped that the mapping ships."""
    read = mapping.load(json.dumps(order))[0]
    items = [
        {"order_item_id": int(one.external_id), "qty": one.quantity}
        for one in read.lines
        if one.requires_shipping
    ]
    track = {"track_number": "1Z9", "title": "UPS", "carrier_code": "ups"}
    payload = {
        "order": str(order["entity_id"]),
        "items": items,
        "tracks": [track],
        "notify": False,
        "warehouse": "shipbob-eu",
    }
    reference = changes.pop("reference", "shipbob-eu/1")
    return Request(operation="shipment.create", reference=reference, payload={**payload, **changes})


def push(made: AdobeCommerce, *requests: Request) -> list[Outcome]:
    return made.push(requests, Deadline(20))


def find(made: AdobeCommerce, *requests: Request) -> list[Outcome]:
    return made.find(requests, Deadline(20))


@pytest.mark.parametrize("flavour", ["paas", "saas"])
def test_both_flavours_read_orders_by_window_and_by_id(flavour: str) -> None:
    with running(flavour=flavour) as (shop, made):
        order = sell(shop)
        now = dt.datetime.now(dt.UTC)
        pages = list(made.changed("order", now - dt.timedelta(minutes=1), now))
        [record] = made.fetch("order", [str(order["entity_id"]), "999999", "no id"])

    assert [one.external_id for page in pages for one in page] == [str(order["entity_id"])]
    assert json.loads(record.body)["increment_id"] == order["increment_id"]


def test_pages_end_although_the_last_one_repeats_for_ever() -> None:
    with running() as (shop, made):
        maker = OrderMaker(3)
        for _ in range(205):
            shop.books.place(maker.make(now_text()))
        now = dt.datetime.now(dt.UTC)
        pages = list(made.changed("order", now - dt.timedelta(minutes=1), now))

    assert [len(page) for page in pages] == [100, 100, 5]
    assert shop.calls.books()["calls_by_operation"] == {"get_orders": 3}


def test_a_shipment_is_made_once_however_often_it_is_asked_for() -> None:
    with running() as (shop, made):
        order = sell(shop)
        first, again = push(made, shipment(order)), push(made, shipment(order))

    [made_there] = shop.books.shipments.values()
    assert [one.verdict for one in first + again] == [Verdict.CONFIRMED, Verdict.ADOPTED]
    assert first[0].external_id == again[0].external_id == str(made_there["entity_id"])
    assert order["state"] == "processing"


def test_a_shipment_whose_answer_was_lost_is_found_by_our_key() -> None:
    with running() as (shop, made):
        wanted = shipment(sell(shop), tracks=[])
        # The look before is read, the change is lost.
        shop.plan.switch({"next": []})
        [absent] = find(made, wanted)
        shop.plan.switch({"level": "none", "next": ["slow", "timeout_after"]})
        [lost] = push(made, wanted)
        [found] = find(made, wanted)

    assert [absent.verdict, lost.verdict, found.verdict] == [
        Verdict.ABSENT,
        Verdict.UNKNOWN,
        Verdict.ADOPTED,
    ]
    assert len(shop.books.shipments) == 1


def test_another_shipment_under_our_number_is_for_a_person() -> None:
    with running() as (shop, made):
        order = sell(shop, kind="configurable")
        mine = shipment(order)
        some = [{**mine.payload["items"][0], "qty": 1}]
        shop.books.ship(order["entity_id"], {"items": some, "tracks": mine.payload["tracks"]})
        more = replace(mine, payload={**mine.payload, "items": [{**some[0], "qty": 99}]})

        [outcome] = push(made, more)

    assert (outcome.verdict, outcome.violations[0].code) == (
        Verdict.REJECTED,
        "store.shipment_differs",
    )


def test_a_bundle_that_ships_together_is_shipped_as_the_bundle() -> None:
    with running() as (shop, made):
        order = sell(shop, kind="bundle")
        bundle = next(one for one in order["items"] if one["product_type"] == "bundle")
        bundle["sku"] = "BREAKFAST-BOX"
        [outcome] = push(made, shipment(order))

    [made_there] = shop.books.shipments.values()
    assert outcome.verdict is Verdict.CONFIRMED
    assert bundle["item_id"] in {one["order_item_id"] for one in made_there["items"]}
    assert bundle["qty_shipped"] == bundle["qty_ordered"]


def test_a_refusal_says_why_with_the_names_in_their_places() -> None:
    with running() as (shop, made):
        order = sell(shop)
        item = shipment(order).payload["items"][0]
        [outcome] = push(made, shipment(order, items=[{**item, "qty": 99}]))

    assert outcome.verdict is Verdict.REJECTED
    sku = next(one["sku"] for one in order["items"] if one["item_id"] == item["order_item_id"])
    assert f'unshipped quantity for product SKU "{sku}"' in outcome.violations[0].message


def test_a_track_is_added_once_to_the_shipment_it_belongs_to() -> None:
    with running() as (shop, made):
        order = sell(shop)
        [shipped] = push(made, shipment(order, tracks=[]))
        track = {"track_number": "1Z9", "title": "UPS", "carrier_code": "ups"}
        wanted = Request(
            operation="shipment.track",
            reference="shipbob-eu/1",
            payload={"order": str(order["entity_id"]), "track": track, "qty": 1},
            external_id=shipped.external_id,
        )
        first, again = push(made, wanted), push(made, wanted)

    [made_there] = shop.books.shipments.values()
    assert [one["track_number"] for one in made_there["tracks"]] == ["1Z9"]
    assert [one.verdict for one in first + again] == [Verdict.CONFIRMED, Verdict.ADOPTED]


def test_every_invoice_stands_once_among_the_comments() -> None:
    def note(order: dict[str, Any], *numbers: str) -> Request:
        comments = [
            {"key": f"invoice {one}", "text": f"Invoice {one} of 2026-11-24 over 5 EUR"}
            for one in numbers
        ]
        payload = {"order": str(order["entity_id"]), "comments": comments}
        return Request(operation="invoice.note", reference="adobe-eu/1", payload=payload)

    with running() as (shop, made):
        order = sell(shop)
        [first] = push(made, note(order, "CIV-1"))
        [open_still] = find(made, note(order, "CIV-1", "CIV-2"))
        [second] = push(made, note(order, "CIV-1", "CIV-2"))
        [third] = push(made, note(order, "CIV-1", "CIV-2"))

    told = [one["comment"] for one in order["status_histories"]]
    assert [one.partition(" of ")[0] for one in told] == ["Invoice CIV-1", "Invoice CIV-2"]
    assert [one.verdict for one in (first, open_still, second, third)] == [
        Verdict.CONFIRMED,
        Verdict.ABSENT,
        Verdict.CONFIRMED,
        Verdict.ADOPTED,
    ]


def test_a_wrong_secret_and_a_bearer_that_is_off_pause_with_a_remedy() -> None:
    with running() as (shop, made):
        order = sell(shop)
        address = made._settings.url
        wrong = connector(address, consumer_secret="wrong")
        bearer = connector(address, bearer=SECRETS["access_token"])
        outcomes = push(wrong, shipment(order)) + push(bearer, shipment(order))
        with pytest.raises(CredentialsError):
            wrong.fetch("order", ["1"])
        shop.gate.allows_bearer = True
        [allowed] = push(bearer, shipment(order))

    assert [(one.verdict, one.pause, one.credentials) for one in outcomes] == [
        (Verdict.RETRY, True, True)
    ] * 2
    assert "allow OAuth access tokens as bearer tokens" in str(outcomes[1].error)
    assert allowed.verdict is Verdict.CONFIRMED


def test_a_token_of_ims_that_is_refused_is_renewed_once() -> None:
    with running(flavour="saas") as (shop, made):
        made.fetch("order", ["1"])
        shop.gate.office.revoke_all()
        made.fetch("order", ["1"])

    assert shop.gate.office.issued == 2


def test_no_secret_shows_in_what_is_kept_or_shown() -> None:
    with running() as (shop, made):
        order = sell(shop)
        wrong = connector(made._settings.url, consumer_secret="wrong")
        outcomes = push(wrong, shipment(order)) + push(made, shipment(order))
        shown = repr(outcomes) + repr(made._settings) + "".join(made.check())

    for secret in (*SECRETS.values(), *CLIENT.values()):
        assert secret in {"consumer-key", "project"} or secret not in shown


def test_throttling_is_quiet_for_as_long_as_the_shop_says() -> None:
    with running() as (shop, made):
        wanted = shipment(sell(shop))
        shop.plan.switch({"next": ["throttle"]})
        [outcome] = push(made, wanted)

    assert (outcome.verdict, outcome.pause, outcome.after) == (Verdict.RETRY, True, 1.0)


@pytest.mark.parametrize("fault", ["server_error", "reset"])
def test_a_failure_while_shipping_is_looked_up_first(fault: str) -> None:
    with running() as (shop, made):
        wanted = shipment(sell(shop))
        shop.plan.switch({"next": ["slow", fault]})
        [outcome] = push(made, wanted)

    assert outcome.verdict is Verdict.UNKNOWN


def test_a_signed_event_is_a_hint_at_its_order() -> None:
    with running() as (shop, made):
        order = sell(shop)
        body = shop.sender.event(order, event_id="e-1")
        heard = made.receive(shop.sender.headers(body), body)

    assert (heard.topic, heard.entity, heard.external_id) == (
        "observer.sales_order_save_commit_after",
        str(order["entity_id"]),
        "e-1",
    )
    assert heard.topic in made.reread


def test_a_forged_event_is_refused() -> None:
    with running() as (shop, made):
        body = shop.sender.event(sell(shop))
        headers = shop.sender.headers(body)
        for forged in (
            {},
            {**headers, "x-adobe-digital-signature-2": "!"},
            {**headers, "x-adobe-public-key2-path": "/prod/keys/../../evil.pem"},
            {**headers, "x-adobe-public-key2-path": "//evil.example.com/prod/keys/pub-key-1.pem"},
        ):
            with pytest.raises(ProofError):
                made.receive(forged, body)
        with pytest.raises(ProofError):
            made.receive(headers, body + b" ")


def test_an_event_for_somebody_else_is_refused() -> None:
    with running(event_client_id="another") as (shop, made):
        body = shop.sender.event(sell(shop))
        with pytest.raises(ProofError, match="somebody else"):
            made.receive(shop.sender.headers(body), body)


def test_an_event_whose_key_cannot_be_read_shall_come_again() -> None:
    with running(event_keys="http://127.0.0.1:9") as (shop, made):
        body = shop.sender.event(sell(shop))
        with pytest.raises(RetryableError):
            made.receive(shop.sender.headers(body), body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"data": 5}', b'{"type": 7, "eventid": []}'])
def test_a_signed_body_that_says_nothing_is_described_all_the_same(body: bytes) -> None:
    with running(event_client_id="project") as (shop, made):
        headers = shop.sender.headers(body)
        made._settings = replace(made._settings, event_client_id="")
        heard = made.receive(headers, body)

    assert heard.topic == "unknown"
    assert heard.external_id.startswith("sha256:")


def test_a_challenge_is_answered_with_itself() -> None:
    with running() as (_, made):
        assert made.greet({"challenge": "abc"}) == "abc"
        assert made.greet({}) is None


def test_a_check_looks_at_everything_and_says_what_is_wrong() -> None:
    with running() as (shop, made):
        sell(shop)
        well = made.inspect()
        wrong = connector(made._settings.url, consumer_secret="wrong").inspect()

    assert [(one.name, one.ok) for one in well] == [
        (name, True)
        for name in (
            "reachability",
            "credentials",
            "clock",
            "rights",
            "events",
            "api version",
            "read",
        )
    ]
    assert [(one.name, one.ok) for one in wrong][:2] == [
        ("reachability", True),
        ("credentials", False),
    ]


def test_what_stands_there_is_told_whoever_made_it() -> None:
    with running() as (shop, made):
        order = sell(shop)
        push(made, shipment(order))
        other = sell(shop, seed=8)
        item = shipment(other).payload["items"][0]
        shop.books.ship(other["entity_id"], {"items": [item]})
        now = dt.datetime.now(dt.UTC)
        pages = list(made.standing(now - dt.timedelta(minutes=1), now + dt.timedelta(minutes=1)))

    seen = [(one.reference, one.names) for page in pages for one in page]
    assert seen == [("shipbob-eu/1", ("1Z9",)), ("", ())]
