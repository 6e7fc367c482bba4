"""Charges: the invoice 810 of a warehouse and the freight bill 210 of a carrier.

Source: X12 004010. TDS01, SAC05, B3-07, L1-04 and L3-05 have two implied decimals, as the samples
prove (SAC05 in one of them); unit prices have real ones. Neither is taken unless it adds up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks
from mappings.edi_sftp.elements import NOTHING, SHOWN, opened
from mappings.edi_sftp.profile import Profile, read_profile
from syncworkers.canonical.charges import ChargeLine, Charges, Charging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

CREDIT = "CR"
"""BIG07 of a credit note."""
SIGNS: Mapping[str, int] = {"A": -1, "C": 1, "N": 0}
"""SAC01: an allowance, a charge, neither."""
BILL, TRACKING, ORDER = ("BM",), ("CN", "2I"), ("PO",)
"""Element 128: which references name a bill of lading, a parcel, an order."""
CENT = Decimal("0.01")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Invoices:
    """Reads the invoices 810 of one partner."""

    profile: Profile = field(default_factory=Profile)
    name: str = "edi_sftp.invoice/1"

    def fit(self, connection: Mapping[str, Any]) -> Invoices:
        """Return the reader by a partner's profile; raises `ValueError` for a wrong one."""
        return Invoices(read_profile(connection))

    def load(self, body: bytes) -> tuple[Charges, tuple[str, ...]]:
        """Return what is charged; refused unless lines, charges and tax add up to TDS."""
        read = opened(body, "810", self.profile)
        head = read.head("BIG", "which invoice this is")
        totals = read.head("TDS", "what is owed")
        exact = [
            *(_item(read, one) for one in read.all("IT1")),
            *(_allowance(read, one) for one in read.all("SAC")),
            *(_tax(read, one) for one in read.all("TXI")),
        ]
        lines = tuple(_rounded(one) for one in exact if one.amount)
        total = read.amount(totals, 1, "what is owed")
        added = sum((one.amount for one in exact), NOTHING)
        rounded = sum((one.amount for one in lines), NOTHING)
        if read.sound and total not in {_to_cents(added), rounded}:
            message = f"is {total}, and lines, charges and tax add up to {_to_cents(added)}"
            read.wrong(totals, 1, "charge.total", message)
        references = _references(read, "REF")
        order = read.text(head, 4)
        charges = Charges(
            kind=Charging.WAREHOUSING,
            number=read.needed(head, 2, "the number of the invoice"),
            credit=read.text(head, 7) == CREDIT,
            date=clocks.needed_day(read, head, 1, "the day of the invoice"),
            currency=_currency(read, "CUR", 2),
            lines=lines,
            total=total,
            bills_of_lading=_named(references, BILL),
            tracking_numbers=_named(references, TRACKING),
            orders=tuple(dict.fromkeys([*filter(None, [order]), *_named(references, ORDER)])),
        )
        read.refuse("the invoice")
        return charges, read.drift


@dataclass(frozen=True, slots=True)
class FreightBills:
    """Reads the freight bills 210 of one partner."""

    profile: Profile = field(default_factory=Profile)
    name: str = "edi_sftp.freight_bill/1"

    def fit(self, connection: Mapping[str, Any]) -> FreightBills:
        """Return the reader by a partner's profile; raises `ValueError` for a wrong one."""
        return FreightBills(read_profile(connection))

    def load(self, body: bytes) -> tuple[Charges, tuple[str, ...]]:
        """Return what is charged; refused unless B3-07, L3-05 and the sum of L1-04 are one."""
        read = opened(body, "210", self.profile)
        head = read.head("B3", "which freight bill this is")
        totals = read.head("L3", "what is owed")
        lines = _freight(read)
        due = read.amount(head, 7, "what is owed")
        total = read.amount(totals, 5, "what is owed")
        added = sum((one.amount for one in lines), NOTHING)
        if read.sound and due != total:
            message = f"is {total}, and {read.path(head, 7)} is {due}"
            read.wrong(totals, 5, "charge.total", message)
        if read.sound and added != due:
            message = f"is {due}, and all L1-04 add up to {added}"
            read.wrong(head, 7, "charge.total", message)
        references = _references(read, "N9")
        bill = read.text(head, 3)
        charges = Charges(
            kind=Charging.FREIGHT,
            number=read.needed(head, 2, "the number of the freight bill"),
            credit=due < 0,
            date=clocks.needed_day(read, head, 6, "the day of the bill"),
            currency=_currency(read, "C3", 1),
            lines=lines,
            total=due,
            bills_of_lading=tuple(
                dict.fromkeys([*filter(None, [bill]), *_named(references, BILL)])
            ),
            tracking_numbers=_named(references, TRACKING),
            orders=_named(references, ORDER),
        )
        read.refuse("the freight bill")
        return charges, read.drift


def _item(read: Elements, one: Segment) -> ChargeLine:
    quantity = read.quantity(one, 2, "how many")
    price = read.quantity(one, 4, "the price of one")
    pairs = [(read.text(one, at), read.text(one, at + 1)) for at in range(6, 26, 2)]
    name = next((told for qualifier, told in pairs if qualifier and told), "")
    told = f"{quantity} {read.text(one, 3)} at {price}"
    return ChargeLine(code=name, description=told, amount=quantity * price)


def _allowance(read: Elements, one: Segment) -> ChargeLine:
    told = read.needed(one, 1, f"one of {', '.join(SIGNS)}")
    sign = SIGNS.get(told, 0)
    if told and told not in SIGNS:
        message = f"is {told[:SHOWN]!r}, expected one of {', '.join(SIGNS)}"
        read.wrong(one, 1, "payload.invalid", message)
    amount = read.amount(one, 5, "how much") if sign else NOTHING
    name = read.text(one, 2) or read.text(one, 4)
    return ChargeLine(code=name, description=read.text(one, 15), amount=sign * amount)


def _tax(read: Elements, one: Segment) -> ChargeLine:
    amount = read.number(one, 2) or NOTHING
    return ChargeLine(code=read.text(one, 1), description="tax", amount=amount)


def _freight(read: Elements) -> tuple[ChargeLine, ...]:
    """Return a line for each L1 with a charge, with the goods and the parcel of its LX."""
    lines = []
    goods = parcel = ""
    for one in read.all("LX", "N9", "L5", "L1"):
        if one.tag == "LX":
            goods = parcel = ""
        elif one.tag == "N9":
            parcel = read.text(one, 2) if read.text(one, 1) in TRACKING else parcel
        elif one.tag == "L5":
            goods = read.text(one, 2)
        elif read.text(one, 4):
            lines.append(
                ChargeLine(
                    code=read.text(one, 8),
                    description=goods,
                    amount=read.amount(one, 4, "how much"),
                    reference=parcel,
                )
            )
    return tuple(lines)


def _references(read: Elements, tag: str) -> Mapping[str, list[str]]:
    """Return the references a document gives, by qualifier."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in read.all(tag):
        if read.text(one, 2):
            found[read.text(one, 1)].append(read.text(one, 2))
    return found


def _named(references: Mapping[str, list[str]], qualifiers: tuple[str, ...]) -> tuple[str, ...]:
    """Return those under some qualifiers, each once."""
    given = (one for qualifier in qualifiers for one in references.get(qualifier, ()))
    return tuple(dict.fromkeys(given))


def _currency(read: Elements, tag: str, element: int) -> str:
    one = read.first(tag)
    currency = read.text(one, element) or read.profile.currency
    if not _CURRENCY.fullmatch(currency):
        message = f"is {currency!r}: expected a currency, or one under [connection.profile]"
        if one is None:
            read.absent(tag, message, "charge.currency")
        else:
            read.wrong(one, element, "charge.currency", message)
    return currency


def _to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _rounded(one: ChargeLine) -> ChargeLine:
    return ChargeLine(code=one.code, description=one.description, amount=_to_cents(one.amount))


INVOICE, FREIGHT_BILL = Invoices(), FreightBills()
"""As nobody in particular speaks."""
