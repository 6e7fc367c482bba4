"""What a warehouse or a carrier wants to be paid, and for which shipments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Charging(StrEnum):
    """What is charged for."""

    WAREHOUSING = "warehousing"
    FREIGHT = "freight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """One line; `code` is the partner's own, `amount` is negative for what is let off.

    `reference` is the tracking number that the line is about, where it is said.
    """

    code: str
    description: str
    amount: Decimal
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """One invoice of a partner; it never changes. `kind` and `number` name it for ever.

    Amounts stand as told, those of a credit note too, which `credit` marks. The date is the
    partner's day.
    """

    kind: Charging
    number: str
    credit: bool
    date: dt.date
    currency: str
    lines: tuple[ChargeLine, ...]
    total: Decimal
    bills_of_lading: tuple[str, ...] = ()
    tracking_numbers: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
