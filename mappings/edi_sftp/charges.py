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

from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.values import Document, open_document, refusal
from syncworkers.canonical.charges import ChargeLine, Charges, Charging

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        document = open_document(body, "810", self.profile)
        head, totals = document.head("BIG"), document.head("TDS")
        exact = [
            *(_item(document, one) for one in document.all("IT1")),
            *(_allowance(document, one) for one in document.all("SAC")),
            *(_tax(document, one) for one in document.all("TXI")),
        ]
        lines = tuple(_rounded(one) for one in exact if one.amount)
        total = document.amount(totals, 1)
        added = sum((one.amount for one in exact), Decimal(0))
        rounded = sum((one.amount for one in lines), Decimal(0))
        if total not in {_to_cents(added), rounded}:
            message = f"is {total}, and lines, charges and tax add up to {_to_cents(added)}"
            raise document.refusal(totals, 1, "charge.total", message)
        references = _references(document, "REF")
        order = document.told(head, 4)
        charges = Charges(
            kind=Charging.WAREHOUSING,
            number=document.text(head, 2),
            credit=document.told(head, 7) == CREDIT,
            date=document.day(head, 1),
            currency=_currency(document, "CUR", 2),
            lines=lines,
            total=total,
            bills_of_lading=_named(references, BILL),
            tracking_numbers=_named(references, TRACKING),
            orders=tuple(dict.fromkeys([*filter(None, [order]), *_named(references, ORDER)])),
        )
        return charges, ()


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
        document = open_document(body, "210", self.profile)
        head, totals = document.head("B3"), document.head("L3")
        lines = _freight(document)
        due, total = document.amount(head, 7), document.amount(totals, 5)
        added = sum((one.amount for one in lines), Decimal(0))
        if due != total:
            message = f"is {total}, and {document.path(head, 7)} is {due}"
            raise document.refusal(totals, 5, "charge.total", message)
        if added != due:
            message = f"is {due}, and all L1-04 add up to {added}"
            raise document.refusal(head, 7, "charge.total", message)
        references = _references(document, "N9")
        bill = document.told(head, 3)
        charges = Charges(
            kind=Charging.FREIGHT,
            number=document.text(head, 2),
            credit=due < 0,
            date=document.day(head, 6),
            currency=_currency(document, "C3", 1),
            lines=lines,
            total=due,
            bills_of_lading=tuple(
                dict.fromkeys([*filter(None, [bill]), *_named(references, BILL)])
            ),
            tracking_numbers=_named(references, TRACKING),
            orders=_named(references, ORDER),
        )
        return charges, ()


def _item(document: Document, one: Segment) -> ChargeLine:
    quantity, price = document.quantity(one, 2), document.quantity(one, 4)
    pairs = [(document.told(one, at), document.told(one, at + 1)) for at in range(6, 26, 2)]
    name = next((told for qualifier, told in pairs if qualifier and told), "")
    told = f"{quantity} {document.told(one, 3)} at {price}"
    return ChargeLine(code=name, description=told, amount=quantity * price)


def _allowance(document: Document, one: Segment) -> ChargeLine:
    sign = SIGNS.get(document.text(one, 1))
    if sign is None:
        message = f"is {one.get(1)!r}, expected one of {', '.join(SIGNS)}"
        raise document.refusal(one, 1, "edi.code", message)
    amount = document.amount(one, 5) if sign else Decimal(0)
    name = document.told(one, 2) or document.told(one, 4)
    return ChargeLine(code=name, description=document.told(one, 15), amount=sign * amount)


def _tax(document: Document, one: Segment) -> ChargeLine:
    amount = document.quantity(one, 2) if document.told(one, 2) else Decimal(0)
    return ChargeLine(code=document.told(one, 1), description="tax", amount=amount)


def _freight(document: Document) -> tuple[ChargeLine, ...]:
    """Return a line for each L1 with a charge, with the goods and the parcel of its LX."""
    lines = []
    goods = parcel = ""
    for one in document.all("LX", "N9", "L5", "L1"):
        if one.tag == "LX":
            goods = parcel = ""
        elif one.tag == "N9":
            parcel = document.told(one, 2) if document.told(one, 1) in TRACKING else parcel
        elif one.tag == "L5":
            goods = document.told(one, 2)
        elif document.told(one, 4):
            lines.append(
                ChargeLine(
                    code=document.told(one, 8),
                    description=goods,
                    amount=document.amount(one, 4),
                    reference=parcel,
                )
            )
    return tuple(lines)


def _references(document: Document, tag: str) -> Mapping[str, list[str]]:
    """Return the references a document gives, by qualifier."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in document.all(tag):
        if document.told(one, 2):
            found[document.told(one, 1)].append(document.told(one, 2))
    return found


def _named(references: Mapping[str, list[str]], qualifiers: tuple[str, ...]) -> tuple[str, ...]:
    """Return those under some qualifiers, each once."""
    given = (one for qualifier in qualifiers for one in references.get(qualifier, ()))
    return tuple(dict.fromkeys(given))


def _currency(document: Document, tag: str, element: int) -> str:
    one = document.first(tag)
    told = document.told(one, element) if one is not None else ""
    currency = told or document.profile.currency
    if not _CURRENCY.fullmatch(currency):
        path = document.path(one, element) if one is not None else tag
        message = f"is {currency!r}: expected a currency, or one under [connection.profile]"
        raise refusal(path, "charge.currency", message)
    return currency


def _to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _rounded(one: ChargeLine) -> ChargeLine:
    return ChargeLine(code=one.code, description=one.description, amount=_to_cents(one.amount))


INVOICE, FREIGHT_BILL = Invoices(), FreightBills()
"""As nobody in particular speaks."""
