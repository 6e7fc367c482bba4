"""Webhooks are proven as Standard Webhooks says, and described by what they say of themselves."""

from __future__ import annotations

import pytest

from syncworkers.connectors.base import ProofError, Received
from syncworkers.connectors.shipbob.webhooks import HANDLED, receive, sign
from tests.unit.shipbob_parts import FORMER_SECRET, SECRET, connector

ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STAMP = 1614265330
BODY = b'{"test": 2432232314}'
KNOWN = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The example of the Standard Webhooks documentation, signed with SECRET."""
OTHER_SECRET = "whsec_" + "Z" * 32


def headers(body: bytes = BODY, *secrets: str, **changes: str) -> dict[str, str]:
    message = b".".join([ID.encode(), str(STAMP).encode(), body])
    named = {
        "webhook-id": ID,
        "webhook-timestamp": str(STAMP),
        "webhook-signature": " ".join(sign(one, message) for one in secrets or (SECRET,)),
        "x-webhook-topic": "order.shipped",
    }
    return {**named, **{name.replace("_", "-"): value for name, value in changes.items()}}


def take(body: bytes = BODY, now: float = STAMP, **changes: str) -> Received:
    return receive((SECRET, FORMER_SECRET), headers(body, **changes), body, now)


def test_the_documentations_example_is_proven() -> None:
    found = receive((SECRET,), headers(webhook_signature=KNOWN), BODY, STAMP)

    assert headers()["webhook-signature"] == KNOWN
    assert (found.external_id, found.topic) == (ID, "order.shipped")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"webhook_signature": ""}, "missing"),
        ({"webhook_id": ""}, "missing"),
        ({"webhook_timestamp": ""}, "missing"),
        ({"webhook_id": "msg_other"}, "wrong"),
        ({"webhook_timestamp": str(STAMP + 1)}, "wrong"),
        ({"webhook_signature": KNOWN.replace("v1", "v2")}, "wrong"),
        ({"webhook_signature": KNOWN.lower()}, "wrong"),
        ({"webhook_signature": "v1,é"}, "wrong"),
        ({"webhook_signature": " ".join(["v1,no"] * 16 + [KNOWN])}, "wrong"),
    ],
)
def test_a_webhook_without_right_proof_is_refused(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        take(**changes)


def test_another_body_is_not_proven() -> None:
    with pytest.raises(ProofError, match="wrong"):
        receive((SECRET,), headers(), BODY + b" ", STAMP)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_webhook_of_five_minutes_ago_or_ahead_is_taken(seconds: int) -> None:
    assert take(now=STAMP + seconds).external_id == ID


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_older_one_is_refused(seconds: int) -> None:
    with pytest.raises(ProofError, match="too old"):
        take(now=STAMP + seconds)


def test_a_time_that_is_no_number_is_refused() -> None:
    message = b".".join([ID.encode(), b"soon", BODY])
    changes = {"webhook_timestamp": "soon", "webhook_signature": sign(SECRET, message)}

    with pytest.raises(ProofError, match="too old"):
        take(**changes)


def test_either_secret_and_any_of_several_signatures_will_do() -> None:
    for secrets in ((FORMER_SECRET,), (OTHER_SECRET, SECRET), (OTHER_SECRET, FORMER_SECRET)):
        given = headers(BODY, *secrets)
        assert receive((SECRET, FORMER_SECRET), given, BODY, STAMP).external_id == ID

    with pytest.raises(ProofError, match="wrong"):
        receive((SECRET, FORMER_SECRET), headers(BODY, OTHER_SECRET), BODY, STAMP)


@pytest.mark.parametrize(
    ("topic", "body", "entity"),
    [
        ("order.shipped", b'{"id": 4711}', "4711"),
        ("order.shipped", b'{"id": 9, "order_id": 4711}', "4711"),
        ("order.shipment.delivered", b'{"id": 9, "order_id": 4711}', "4711"),
        ("order.shipment.exception", b'{"id": 9, "order_id": "4711"}', "4711"),
        ("order.shipment.delivered", b'{"id": 9}', f"order.shipment.delivered:{ID}"),
        ("order.shipped", b'{"id": true}', f"order.shipped:{ID}"),
        ("order.shipped", b"[4711]", f"order.shipped:{ID}"),
        ("order.shipped", b"{oops", f"order.shipped:{ID}"),
        ("order.shipped", b"[" * 100_000, f"order.shipped:{ID}"),
        ("return.created", b'{"id": 4711, "order_id": 5}', f"return.created:{ID}"),
        ("wro.box.arrived", b'{"id": 4711}', f"wro.box.arrived:{ID}"),
    ],
)
def test_a_webhook_is_in_line_with_its_order(topic: str, body: bytes, entity: str) -> None:
    found = take(body, x_webhook_topic=topic)

    assert (found.kind, found.topic, found.entity) == ("shipment", topic, entity)


def test_a_webhook_without_a_topic_is_kept_as_unknown() -> None:
    found = take(x_webhook_topic="")

    assert found.topic == "unknown"
    assert found.topic not in HANDLED


def test_a_connector_receives_with_both_secrets_and_its_own_clock() -> None:
    made = connector("http://127.0.0.1:9")
    made._clock = lambda: STAMP + 10.0

    assert made.receive(headers(BODY, FORMER_SECRET), BODY, "ignored").external_id == ID
    assert made.handled == made.reread == HANDLED
    assert len(HANDLED) == 5
    assert made.read_topics == {"shipment": "orders/read"}
    assert made.tracked_topic == "shipments/tracking"
