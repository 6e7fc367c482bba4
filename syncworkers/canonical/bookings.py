"""An order as the ERP must book it: every code resolved, every cent placed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from syncworkers.canonical.orders import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingLine:
    """One ERP order line; `unit_discount` is per sales unit, `amount` the net of the line.

    `unit` is the ERP's symbol of the sales unit; empty: that of its item.
    """

    reference: str
    item: str
    description: str
    quantity: int
    unit_price: Decimal
    unit_discount: Decimal
    amount: Decimal
    warehouse: str
    delivery_mode: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCharge:
    """An amount booked beside the lines under a configured charge code; may be negative."""

    code: str
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An ERP sales order under our own number.

    `number` and `reference` follow from the store's permanent order id alone, so that a repeat,
    even after a restore of our database, meets the same document. Lines plus charges equal `total`.
    """

    company: str
    number: str
    reference: str
    customer: str
    customer_reference: str
    name: str
    email: str
    currency: str
    language: str
    taxes_included: bool
    warehouse: str
    delivery_mode: str
    payment_method: str
    placed_on: dt.date
    address: Address
    lines: tuple[BookingLine, ...]
    charges: tuple[BookingCharge, ...]
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """A new delivery address for a booked order."""

    company: str
    number: str
    reference: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The whole booked order is called off."""

    company: str
    number: str
    reference: str
    reason: str
