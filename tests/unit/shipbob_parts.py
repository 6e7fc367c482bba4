"""Order parts to begin with, changed by the test that needs another."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings import WRITES
from syncworkers.canonical.orders import Address
from syncworkers.canonical.parts import Part, PartAddressChange, PartCancellation, PartLine
from syncworkers.connectors.base import Ports, Request
from syncworkers.connectors.shipbob import ShipBob
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import BudgetPolicy, LanePolicy, PartnerPolicy

if TYPE_CHECKING:
    from syncworkers.connectors.base import Budget, TokenFetch

TOKEN = "pat-7f3c"
CHANNEL = 128944
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FORMER_SECRET = "whsec_" + "F" * 32
PLACED = dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)
HOME = Address(
    name="Ada Byron",
    company="Engines Ltd",
    street="12 Main St",
    street2="2nd floor",
    city="Portland",
    region="OR",
    postal_code="97201",
    country="US",
    phone="+1 555 0100",
)
LINE = PartLine(
    reference="9100",
    number=1,
    sku="MUG-BLU-01",
    item="20000001",
    title="Stoneware mug, blue",
    quantity=2,
    unit_price=Decimal("12.50"),
)
KETTLE = replace(
    LINE,
    reference="9101",
    number=2,
    sku="KETTLE-08",
    item="20000003",
    title="Kettle 0.8 l",
    quantity=1,
    unit_price=Decimal("64.90"),
)


class NoTokens:
    """A personal access token is never fetched."""

    def get(self, name: str, fetch: TokenFetch) -> str:
        raise AssertionError(name)

    def drop(self, name: str, token: str) -> None:
        raise AssertionError(name)


def part(number: int = 1, **changes: Any) -> Part:
    whole = Part(
        reference=f"shopify-us/{number}/1",
        order_number=f"10{number:02}",
        placed_at=PLACED,
        shipping_method="Standard",
        email="ada@example.com",
        address=HOME,
        lines=(LINE, KETTLE),
    )
    return replace(whole, **changes)


def wanted(operation: str, body: Any, external_id: str | None = None) -> Request:
    payload = WRITES["shipbob", operation](body)
    return Request(
        operation=operation, reference=body.reference, payload=payload, external_id=external_id
    )


def create(number: int = 1, **changes: Any) -> Request:
    return wanted("part.create", part(number, **changes))


def cancel(number: int = 1, external_id: str | None = None) -> Request:
    body = PartCancellation(reference=f"shopify-us/{number}/1", reason="customer")
    return wanted("part.cancel", body, external_id)


def readdress(number: int = 1, external_id: str | None = None, **changes: str) -> Request:
    address = replace(HOME, **{"city": "Salem", "postal_code": "97301", **changes})
    body = PartAddressChange(reference=f"shopify-us/{number}/1", email="", address=address)
    return wanted("part.readdress", body, external_id)


PACE = BudgetPolicy(burst=1000.0, per_second=1000.0)


def connector(
    url: str,
    budget: Budget | None = None,
    *,
    pace: BudgetPolicy = PACE,
    call_deadline: float = 5.0,
    **changes: Any,
) -> ShipBob:
    connection = {
        "url": url,
        "api_version": "2026-01",
        "access_token": TOKEN,
        "channel_id": str(CHANNEL),
        "webhook_secret": SECRET,
        "previous_webhook_secret": FORMER_SECRET,
    }
    policy = PartnerPolicy(
        name="shipbob-west",
        connector="shipbob",
        role="warehouse",
        brand="",
        connection={**connection, **changes},
        budget=pace,
        lane=LanePolicy(call_deadline=call_deadline),
    )
    return ShipBob(
        policy, Ports(tokens=NoTokens(), budget=budget or LocalBudget(maximum=1000.0, rate=1000.0))
    )
