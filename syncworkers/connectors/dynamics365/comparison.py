"""Compare what we sent with what stands in the ERP, as F&O itself would compare it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Fields = Mapping[str, Any]

DOCUMENT = (
    "CustomersOrderReference",
    "OrderingCustomerAccountNumber",
    "InvoiceCustomerAccountNumber",
    "CurrencyCode",
)
"""Header fields that make it another document when they differ."""
_LINE = (
    "ItemNumber",
    "OrderedSalesQuantity",
    "SalesPrice",
    "LineDiscountAmount",
    "ShippingWarehouseId",
)
_CHARGE = ("SalesChargeCode", "FixedChargeAmount")
_AMOUNT_STEP = Decimal("0.005")
"""The ERP rounds a line's amount to cents."""


def differences(sent: Fields, stands: Fields, names: Sequence[str] | None = None) -> list[str]:
    """Name the fields that stand otherwise than sent.

    Without `names`, what the answer does not show is left out; what is named must be shown.
    """
    looked = [name for name in sent if name in stands] if names is None else names
    return [
        f"{name}: sent {_shown(sent[name])}, stands {_shown(stands.get(name))}"
        for name in looked
        if name in sent and _plain(sent[name]) != _plain(stands.get(name))
    ]


def line_differences(sent: Fields, stands: Fields, names: Sequence[str] | None = None) -> list[str]:
    """Compare one order line, its computed net amount included."""
    found = differences(sent, stands, names)
    amount = stands.get("LineAmount")
    expected = _line_amount(sent)
    if isinstance(amount, (int, Decimal)) and abs(amount - expected) > _AMOUNT_STEP:
        found.append(f"LineAmount: expected {expected}, stands {amount}")
    return found


def set_differences(
    lines: Sequence[Fields],
    standing_lines: Sequence[Fields],
    charges: Sequence[Fields],
    standing_charges: Sequence[Fields],
) -> list[str]:
    """Compare all lines, by our line id, and all charges, by code and amount."""
    found = []
    stand = {str(line.get("ExternalItemNumber", "")): line for line in standing_lines}
    for line in lines:
        name = str(line["ExternalItemNumber"])
        there = stand.get(name)
        if there is None:
            found.append(f"line {name}: is missing")
            continue
        found += [f"line {name}: {one}" for one in line_differences(line, there, _LINE)]
    if len(standing_lines) != len(lines):
        found.append(f"lines: sent {len(lines)}, stand {len(standing_lines)}")
    if _bag(charges) != _bag(standing_charges):
        found.append(f"charges: sent {_told(charges)}, stand {_told(standing_charges)}")
    return found


def _line_amount(line: Fields) -> Decimal:
    price = Decimal(line["SalesPrice"]) - Decimal(line.get("LineDiscountAmount") or 0)
    return price * Decimal(line["OrderedSalesQuantity"])


def _bag(charges: Sequence[Fields]) -> Counter[tuple[object, ...]]:
    return Counter(tuple(_plain(charge.get(name)) for name in _CHARGE) for charge in charges)


def _told(charges: Sequence[Fields]) -> str:
    return ", ".join(" ".join(str(one.get(name)) for name in _CHARGE) for one in charges) or "none"


def _plain(value: Any) -> object:
    """Bring a value into the one form that F&O compares: its texts ignore case."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").casefold()
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Decimal(value)
    return value


def _shown(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else repr(value)
