"""How Adobe Commerce writes numbers, times and switches."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import ValidationError, fields

from mappings.schema import MONEY_LIMIT

PLACES = Decimal("0.0001")
"""Amounts are decimal(20,4), told as JSON numbers with the noise of a float."""


class Amount(fields.Field[Decimal]):
    """An amount without the noise; absent and null are nothing."""

    def __init__(self, *, required: bool = False, **options: Any) -> None:
        if not required:
            options |= {"allow_none": True, "load_default": Decimal(0)}
        super().__init__(required=required, **options)

    def deserialize(self, value: Any, *args: Any, **others: Any) -> Decimal:
        """Return the amount."""
        found: Decimal | None = super().deserialize(value, *args, **others)
        return Decimal(0) if found is None else found

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Decimal:
        amount = None if isinstance(value, bool) else _number(value)
        if amount is None or not amount.is_finite() or abs(amount) >= MONEY_LIMIT:
            message = "No plausible amount of money."
            raise ValidationError(message)
        return _plain(amount.quantize(PLACES))


class Units(Amount):
    """A number of units: whole ones, though written with a decimal point."""

    def _deserialize(self, value: Any, *args: Any, **others: Any) -> Decimal:
        units = super()._deserialize(value, *args, **others)
        if units < 0 or units != units.to_integral_value():
            message = "Not a whole number of units: sell it by a smaller unit."
            raise ValidationError(message)
        return units


class NaiveInstant(fields.Field[dt.datetime]):
    """A time without a zone, `YYYY-MM-DD HH:MM:SS`: UTC by convention, checked at onboarding."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dt.datetime:
        try:
            return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
        except (ValueError, TypeError):
            message = "Not a time like 2026-11-27 08:30:00."
            raise ValidationError(message) from None


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _plain(amount: Decimal) -> Decimal:
    """Leave out the zeros at the end: 5.0000 is 5."""
    return (
        amount.quantize(Decimal(1))
        if amount == amount.to_integral_value()
        else (amount.normalize())
    )
