"""A simulated Dynamics 365 environment on a real socket, with a connector to it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

from mappings import WRITES
from syncworkers.canonical.bookings import Booking, BookingCharge, BookingLine, Cancellation
from syncworkers.canonical.orders import Address
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.connectors.base import Deadline, Outcome, Ports, Request
from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.dynamics365 import app
from syncworkers.sandbox.dynamics365.slips import SERVICE
from syncworkers.sandbox.faults import FaultPlan
from tests.integration.world import serving
from tests.unit.dynamics365_erp import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Running = tuple[app.Environment, Dynamics365, str]

AT = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)
EVENT_SECRET = "present-event-secret"
HASTY = 1.0
"""Seconds per call where answers are lost; elsewhere a busy machine is given time."""


def connector(url: str, *, patience: float = 10.0, **connection: Any) -> Dynamics365:
    settings = {
        "url": url,
        "token_url": f"{url}/t/oauth2/v2.0/token",
        "client_id": "app",
        "client_secret": "secret",
        "default_company": "usmf",
        "shipment_service": SERVICE,
        "event_secret": EVENT_SECRET,
        **connection,
    }
    policy = PartnerPolicy(
        name="d365-main",
        connector="dynamics365",
        role="erp",
        brand="",
        connection={name: value for name, value in settings.items() if value},
        lane=LanePolicy(call_deadline=patience),
    )
    return Dynamics365(
        policy, Ports(tokens=Tokens(), budget=LocalBudget(maximum=1000.0, rate=1000.0))
    )


@contextmanager
def running(
    *, invoicing: bool = False, event_url: str = "", patience: float = 10.0, **connection: Any
) -> Iterator[Running]:
    erp = app.build(
        FaultPlan(level="none", seed=1),
        client_id="app",
        client_secret="secret",
        speed=100.0,
        caller_deadline=patience,
        event_url=event_url,
        pace=0.05,
        invoicing=invoicing,
    )
    with serving(erp.program) as url:
        made = connector(url, patience=patience, **connection)
        yield erp, made, url
        made.close()


def booking(number: int, **changes: Any) -> Booking:
    """Two lines, 25.00 and 9.99, and freight of 5.95."""
    lines = (line("11", "MUG", 2, "12.50"), line("12", "TEA", 3, "3.33"))
    whole = Booking(
        company="usmf",
        number=f"US{number}",
        reference=f"shopify-us/{number}",
        customer="C-1",
        customer_reference=f"{1000 + number}",
        name="Ada Byron",
        email="ada@example.com",
        currency="USD",
        language="en-us",
        taxes_included=False,
        warehouse="13",
        delivery_mode="GROUND",
        payment_method="CARD",
        placed_on=dt.date(2026, 11, 24),
        address=Address(name="Ada Byron", street="1 Main St", city="Eugene", country="US"),
        lines=lines,
        charges=(BookingCharge(code="FREIGHT", description="Shipping", amount=Decimal("5.95")),),
        total=Decimal("40.94"),
    )
    return replace(whole, **changes)


def line(reference: str, item: str, quantity: int, price: str) -> BookingLine:
    return BookingLine(
        reference=reference,
        item=item,
        description=item.title(),
        quantity=quantity,
        unit_price=Decimal(price),
        unit_discount=Decimal(0),
        amount=Decimal(price) * quantity,
        warehouse="13",
        delivery_mode="GROUND",
    )


def shipment(number: int, order: int | None = None, **changes: Any) -> Shipment:
    """The first line of an order whole, unless told otherwise."""
    whole = Shipment(
        reference=f"shipbob-west/{number}",
        store_order=f"{order or number}",
        company="usmf",
        erp_number=f"US{order or number}",
        shipped_at=AT,
        carrier="FedEx",
        service="Ground",
        tracking_number=f"TRACK{number}",
        tracking_url=f"https://track.example/{number}",
        notify_customer=True,
        lines=(ShippedLine(reference="11", sku="MUG-BLU-01", quantity=2),),
    )
    return replace(whole, **changes)


def request(operation: str, reference: str, subject: Any) -> Request:
    payload = WRITES["dynamics365", operation](subject)
    return Request(operation=operation, reference=reference, payload=payload)


def create(number: int, **changes: Any) -> Request:
    made = booking(number, **changes)
    return request("order.create", made.reference, made)


def cancel(number: int, version: str | None) -> Request:
    gone = Cancellation(
        company="usmf", number=f"US{number}", reference=f"shopify-us/{number}", reason="x"
    )
    return replace(request("order.cancel", gone.reference, gone), external_version=version)


def ship(number: int, order: int | None = None, **changes: Any) -> Request:
    made = shipment(number, order, **changes)
    return request("shipment.create", made.reference, made)


def push(made: Dynamics365, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(30))


def find(made: Dynamics365, *wanted: Request) -> list[Outcome]:
    return made.find(wanted, Deadline(30))


def books(url: str) -> dict[str, Any]:
    whole: dict[str, Any] = requests.get(f"{url}/_sandbox/books", timeout=5).json()
    return whole


def progress(url: str) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(f"{url}/_sandbox/progress", timeout=5).json()
    return told


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait for something to come about; fails when it does not."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.02)
    return found
