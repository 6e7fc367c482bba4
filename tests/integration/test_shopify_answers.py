"""What strange answers of a shop mean: for a change, for a look-up, and never an exception."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.errors import RetryableError
from tests.integration.test_shopify_connector import SECRET, connector
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.shopify import Shopify

RETRY, UNKNOWN, REJECTED = Verdict.RETRY, Verdict.UNKNOWN, Verdict.REJECTED
CREATE = Request(
    operation="shipment.create",
    reference="shipbob-west/7",
    payload={
        "order": "gid://shopify/Order/7",
        "lines": [{"line_item": "gid://shopify/LineItem/71", "quantity": 1}],
        "tracking": {"company": "UPS", "number": "1Z7"},
        "notify": True,
    },
)
TRACK = Request(
    operation="shipment.track",
    reference="shipbob-west/7",
    payload={"order": "gid://shopify/Order/7", "tracking": {"number": "1Z7"}, "notify": False},
    external_id="gid://shopify/Fulfillment/1",
)


def note(number: int) -> Request:
    metafield = {
        "ownerId": f"gid://shopify/Order/{number}",
        "namespace": "erp",
        "key": "invoices",
        "type": "json",
        "value": "[]",
    }
    return Request(
        operation="invoice.note", reference=f"us/{number}", payload={"metafields": [metafield]}
    )


def push(made: Shopify, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(5))


def find(made: Shopify, *wanted: Request) -> list[Outcome]:
    return made.find(wanted, Deadline(5))


def verdicts(outcomes: list[Outcome]) -> list[Verdict]:
    return [one.verdict for one in outcomes]


def codes(outcome: Outcome) -> list[str]:
    return [one.code for one in outcome.violations]


@contextmanager
def answering(status: str, body: str) -> Iterator[Shopify]:
    """A connector whose shop answers everything but the token in one way."""

    def program(environ: dict[str, Any], start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        is_token = environ["PATH_INFO"].endswith("access_token")
        text = '{"access_token": "the-token", "expires_in": 60}' if is_token else body
        start("200 OK" if is_token else status, [("Content-Length", str(len(text.encode())))])
        return [text.encode()]

    with serving(program) as url:
        made = connector(url)
        yield made
        made.close()


def test_what_a_shop_repeats_of_our_secrets_is_hidden() -> None:
    with answering("500 Oops", f'{{"client_secret": "{SECRET}", "told": "{SECRET}"}}') as made:
        outcomes = [*push(made, note(7)), *find(made, note(7))]

    assert verdicts(outcomes) == [UNKNOWN, RETRY]
    assert SECRET not in repr(outcomes)
    assert "***" in (outcomes[0].answer or "")


def test_a_refusal_that_names_nobody_is_narrowed_down() -> None:
    refusal = {"metafields": [], "userErrors": [{"field": ["metafields"], "message": "Too much."}]}

    with answering("200 OK", json.dumps({"data": {"metafieldsSet": refusal}})) as made:
        outcomes = push(made, *(note(number) for number in (1, 2, 3)))

    assert verdicts(outcomes) == [REJECTED] * 3
    assert len({one.call for one in outcomes}) == 3
    assert [codes(one) for one in outcomes] == [["store.refused"]] * 3


STRANGE = ["", "null", "[]", "{}", '{"data": null}', '{"data": {}}', '{"data": {"nodes": 5}}',
           '{"data": {"nodes": [{"id": 5}]}}', '{"data": {"nodes": [1]}}', "{" * 9, "\x00",
           '{"data": {"fulfillmentCreate": {"userErrors": [7]}}}',
           '{"data": {"metafieldsSet": {"userErrors": []}}}',
           '{"data": {"metafieldsSet": null, "fulfillmentTrackingInfoUpdate": []}}']  # fmt: skip


@pytest.mark.parametrize("body", STRANGE)
def test_whatever_bytes_come_nothing_is_raised_and_no_change_is_taken_as_made(body: str) -> None:
    wanted = [CREATE, TRACK, note(7)]

    with answering("200 OK", body) as made:
        pushed, found = push(made, *wanted), find(made, *wanted)

    assert verdicts(pushed) == [RETRY, UNKNOWN, UNKNOWN]
    assert verdicts(found) == [RETRY] * 3


@pytest.mark.parametrize(
    ("status", "body", "verdict", "code"),
    [
        ("402 Frozen", "", RETRY, None),
        ("423 Locked", "", RETRY, None),
        ("430 Refused", "", RETRY, None),
        ("400 Bad Request", "", RETRY, None),
        ("408 Timeout", "", UNKNOWN, None),
        ("502 Bad Gateway", "<html>", UNKNOWN, None),
        ("403 Forbidden", "", REJECTED, "partner.refused"),
        ("200 OK", '{"errors": [{"message": "Field is unknown"}]}', REJECTED, "partner.contract"),
        (
            "200 OK",
            '{"errors": [{"message": "dear", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}',
            REJECTED,
            "partner.query_too_big",
        ),
        (
            "200 OK",
            '{"errors": [{"message": "oops", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}',
            UNKNOWN,
            None,
        ),
        (
            "200 OK",
            '{"data": {"metafieldsSet": {"userErrors": []}}, "errors": [{"message": "half"}]}',
            UNKNOWN,
            None,
        ),
    ],
)
def test_what_a_refusal_means_for_a_change(
    status: str, body: str, verdict: Verdict, code: str | None
) -> None:
    with answering(status, body) as made:
        [outcome] = push(made, note(7))

    assert (outcome.verdict, codes(outcome)) == (verdict, [code] if code else [])
    assert outcome.pause is (status[:3] in {"402", "423", "430"})
    assert outcome.status == int(status[:3])


def test_a_look_up_that_is_refused_decides_nothing() -> None:
    with answering("403 Forbidden", "") as made:
        found = find(made, CREATE, note(7))

    assert [(one.verdict, one.after, codes(one)) for one in found] == [(RETRY, 60.0, [])] * 2


def test_where_nobody_listens_nothing_has_happened() -> None:
    made = connector("http://127.0.0.1:9")

    outcomes = [*push(made, CREATE, TRACK, note(7)), *find(made, CREATE, TRACK, note(7))]

    assert [(one.verdict, one.pause, one.status) for one in outcomes] == [(RETRY, False, None)] * 6
    assert all("nothing was sent" in (one.error or "") for one in outcomes)


def test_a_fulfilment_that_failed_at_once_is_a_case() -> None:
    state = {
        "id": "gid://shopify/Order/7",
        "cancelledAt": None,
        "fulfillmentOrders": {
            "nodes": [
                {
                    "id": "gid://shopify/FulfillmentOrder/1?key=2",
                    "status": "OPEN",
                    "assignedLocation": {"name": "Closed down", "location": None},
                    "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
                    "lineItems": {
                        "nodes": [
                            {
                                "id": "gid://shopify/FulfillmentOrderLineItem/1",
                                "remainingQuantity": 1,
                                "lineItem": {"id": "gid://shopify/LineItem/71?key=3"},
                            }
                        ],
                        "pageInfo": {"hasNextPage": False, "endCursor": None},
                    },
                }
            ],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        },
        "fulfillments": [],
    }
    failed = {"fulfillment": {"id": "gid://shopify/Fulfillment/9", "status": "FAILURE"}}
    data = {"nodes": [state], "fulfillmentCreate": {**failed, "userErrors": []}}

    with answering("200 OK", json.dumps({"data": data})) as made:
        [outcome] = push(made, CREATE)

    assert (outcome.verdict, codes(outcome)) == (REJECTED, ["store.refused"])
    assert outcome.error == "the store made gid://shopify/Fulfillment/9, and it is FAILURE"


def test_pages_that_never_end_are_not_followed() -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "again"}}
    order = {"id": "gid://shopify/Order/7", "cancelledAt": None, "fulfillments": []}

    with answering(
        "200 OK", json.dumps({"data": {"nodes": [{**order, "fulfillmentOrders": page}]}})
    ) as made:
        [outcome] = push(made, CREATE)

    assert outcome.verdict is RETRY
    assert "another shape" in (outcome.error or "")


@pytest.mark.parametrize("body", STRANGE)
def test_whatever_bytes_come_a_read_is_only_put_off(body: str) -> None:
    with answering("200 OK", body) as made:
        now = dt.datetime.now(dt.UTC)
        with pytest.raises(RetryableError):
            made.fetch("order", ["7"])
        with pytest.raises(RetryableError):
            list(made.changed("order", now, now))
        assert "cannot be read" in made.check()[0]
