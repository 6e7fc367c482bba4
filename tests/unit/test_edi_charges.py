"""Charges of warehouses and carriers: taken only where they add up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mappings.edi_sftp.charges import FREIGHT_BILL as FREIGHT_BILLS
from mappings.edi_sftp.charges import INVOICE as INVOICES
from syncworkers.canonical.charges import ChargeLine, Charges, Charging
from syncworkers.errors import RejectedError
from tests.unit.edi_documents import FREIGHT_BILL, INVOICE, document


def test_an_invoice_adds_up_to_its_total() -> None:
    charges, drift = INVOICES.load(document("810", INVOICE))

    assert charges == Charges(
        kind=Charging.WAREHOUSING,
        number="INV-3001",
        credit=False,
        date=dt.date(2026, 11, 30),
        currency="USD",
        lines=(
            ChargeLine(code="PICK", description="14 EA at 0.85", amount=Decimal("11.90")),
            ChargeLine(code="FREIGHT", description="1 EA at 6.5", amount=Decimal("6.50")),
            ChargeLine(code="ZZZZ", description="", amount=Decimal("1.50")),
        ),
        total=Decimal("19.90"),
        bills_of_lading=("SHP-9001",),
        orders=("PO-77",),
    )
    assert drift == ()


def test_a_freight_bill_names_the_parcel_of_each_line() -> None:
    charges, _ = FREIGHT_BILLS.load(
        document("210", FREIGHT_BILL.replace("LX*1~", "LX*1~N9*CN*TRK0000002~"))
    )

    assert (charges.kind, charges.number, charges.total) == ("freight", "FB-7001", Decimal("15.25"))
    assert charges.bills_of_lading == ("SHP-9001",)
    assert charges.tracking_numbers == ("TRK0000001", "TRK0000002")
    assert charges.lines == (
        ChargeLine(code="", description="PARCEL", amount=Decimal("12.75"), reference="TRK0000002"),
        ChargeLine(
            code="FUE", description="PARCEL", amount=Decimal("2.50"), reference="TRK0000002"
        ),
    )


def test_allowances_tax_and_credit_are_told() -> None:
    text = INVOICE.replace("*DI", "*CR").replace("SAC*C", "SAC*A").replace("TDS*1990", "TDS*1770")

    charges, _ = INVOICES.load(document("810", text + "TXI*ST*0.80~"))

    assert charges.credit
    assert charges.total == Decimal("17.70")
    assert [one.amount for one in charges.lines] == [
        Decimal("11.90"),
        Decimal("6.50"),
        Decimal("-1.50"),
        Decimal("0.80"),
    ]


def test_prices_of_fractions_of_cents_may_be_rounded_line_by_line_or_at_the_end() -> None:
    text = "BIG*20261130*1~CUR*SE*USD~IT1*1*1*EA*.005~IT1*2*1*EA*.005~TDS*"

    by_line, _ = INVOICES.load(document("810", f"{text}2~"))
    at_the_end, _ = INVOICES.load(document("810", f"{text}1~"))

    assert (by_line.total, at_the_end.total) == (Decimal("0.02"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("code", "old", "new", "path", "message"),
    [
        (
            "810",
            "TDS*1990",
            "TDS*1991",
            "segment 9, TDS-01",
            "is 19.91, and lines, charges and tax add up to 19.90",
        ),
        (
            "810",
            "TDS*1990",
            "TDS*19.90",
            "segment 9, TDS-01",
            "is '19.90', expected an amount without a point, as 1990 for 19.90",
        ),
        ("810", "SAC*C", "SAC*Q", "segment 10, SAC-01", "is 'Q', expected one of A, C, N"),
        (
            "810",
            "CUR*SE*USD",
            "CUR*SE*",
            "segment 5, CUR-02",
            "is '': expected a currency, or one under [connection.profile]",
        ),
        (
            "210",
            "L3*11.2*G***1525",
            "L3*11.2*G***1524",
            "segment 13, L3-05",
            "is 15.24, and segment 4, B3-07 is 15.25",
        ),
        (
            "210",
            "FR*1275",
            "FR*1276",
            "segment 4, B3-07",
            "is 15.25, and all L1-04 add up to 15.26",
        ),
    ],
)
def test_what_does_not_add_up_is_refused_with_both_amounts(
    code: str, old: str, new: str, path: str, message: str
) -> None:
    mapping, text = {"810": (INVOICES, INVOICE), "210": (FREIGHT_BILLS, FREIGHT_BILL)}[code]
    assert old in text

    with pytest.raises(RejectedError) as error:
        mapping.load(document(code, text.replace(old, new)))

    [violation] = error.value.violations
    assert (violation.path, violation.message) == (path, message)


def test_a_currency_may_stand_in_the_profile() -> None:
    mapping = INVOICES.fit({"profile": {"currency": "CAD"}})

    charges, _ = mapping.load(document("810", INVOICE.replace("CUR*SE*USD~", "")))

    assert charges.currency == "CAD"
