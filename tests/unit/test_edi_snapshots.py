"""Flat files of stock, as a partner's profile says they are to be read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.edi_sftp.snapshots import Snapshots
from syncworkers.canonical.stock import StockRow
from syncworkers.errors import RejectedError
from tests.contracts.shared import folder

RECEIVED = dt.datetime(2026, 11, 26, 5, 3, tzinfo=dt.UTC)
COLUMNS = {"sku": "Seller SKU", "on_hand": "On Hand", "available": "Quantity Available"}
FILE = b"Seller SKU,On Hand,Quantity Available\nSKU-A,95,80\nSKU-B,40,40.5\n"


def mapping(**more: Any) -> Snapshots:
    snapshot = {"pattern": "stock-*.csv", "columns": COLUMNS, **more}
    profile = {"warehouse_code": "WH01", "snapshot": snapshot}
    return Snapshots().fit({"zone": "America/Chicago", "profile": profile})


def refused(one: Snapshots, told: bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(RejectedError) as error:
        one.load(told)
    return [(each.path, each.code, each.message) for each in error.value.violations]


ROWS = (
    StockRow(sku="SKU-A", unit="each", on_hand=Decimal(95), available=Decimal(80)),
    StockRow(sku="SKU-B", unit="each", on_hand=Decimal(40), available=Decimal("40.5")),
)


@pytest.mark.parametrize(
    "told",
    [
        FILE,
        b"\xef\xbb\xbf" + FILE,
        FILE.replace(b"\n", b"\r\n"),
        b"  seller  sku ,ON HAND,Quantity available ,\nSKU-A,95,80,\n\n SKU-B , 40,40.5,\n",
        b'note,Quantity Available,On Hand,Seller SKU\n"a, b",80,95,SKU-A\n,40.5,40,"SKU-B"\n',
    ],
)
def test_headers_may_be_written_as_people_write_them(told: bytes) -> None:
    snapshot, drift = mapping().load(told)

    assert snapshot.rows == ROWS
    assert (snapshot.warehouse, snapshot.as_of, drift) == ("WH01", None, ())


@pytest.mark.contract
def test_the_sample_of_a_marketplace_is_read() -> None:
    told = (folder("samples") / "edi" / "flat_amazon_afn_inventory.tsv").read_bytes()
    columns = {"sku": "Seller-SKU", "available": "quantity available"}
    one = mapping(pattern="flat_*.tsv", delimiter="\t", columns=columns)

    snapshot, _ = one.load(told)

    assert one.takes("flat_amazon_afn_inventory.tsv")
    assert snapshot.rows == (StockRow(sku="SKU-1", unit="each", available=Decimal(17)),)


def test_wrong_columns_are_refused_with_what_is_there_and_what_is_declared() -> None:
    [(path, code, message)] = refused(mapping(), b"SKU,On Hand,Quantity Available\nSKU-A,1,1\n")

    assert (path, code) == ("line 1", "stock.columns")
    assert message == (
        "column 'Seller SKU' for sku is not there; there are 'SKU', 'On Hand', "
        "'Quantity Available', and [connection.profile.snapshot] columns declares 'Seller SKU', "
        "'On Hand', 'Quantity Available'"
    )
    twice = FILE.replace(b"On Hand,", b"On Hand,on hand,")
    assert "'On Hand' for on_hand is there 2 times" in refused(mapping(), twice)[0][2]


def test_rows_that_cannot_be_read_are_named_by_their_lines() -> None:
    told = FILE + b"SKU-C,many,1\nSKU-D,1\nSKU-A,1,1\n,1,1\nSKU-E,1,1,more\n"

    assert refused(mapping(), told) == [
        ("line 4", "stock.row", "'On Hand' is 'many', expected a number"),
        ("line 5", "stock.row", "has 2 cells, the header 3"),
        ("line 6", "stock.row", "lists SKU-A a second time: nobody knows which count is right"),
        ("line 7", "stock.row", "names no SKU: ''"),
        ("line 8", "stock.row", "has 4 cells, the header 3"),
    ]


def test_a_file_of_another_encoding_or_without_rows_is_refused() -> None:
    assert refused(mapping(), FILE + b"SKU-\xe4,1,1\n")[0][:2] == ("line 4", "stock.encoding")
    assert mapping(encoding="latin-1").load(FILE + b"SKU-\xe4,1,1\n")[0].rows[2].sku == "SKU-ä"
    assert refused(mapping(), b"")[0][:2] == ("line 1", "stock.no_rows")
    assert refused(mapping(), FILE.splitlines()[0])[0][:2] == ("line 2", "stock.no_rows")


def test_a_file_with_a_trailer_is_whole_when_all_its_rows_are_there() -> None:
    one = mapping(trailer=True)
    whole = FILE + b"TRAILER,2\n"

    assert one.load(whole)[0].rows == ROWS
    assert [one.is_whole(whole[:end]) for end in (0, 40, len(FILE), len(whole))] == [
        False,
        False,
        False,
        True,
    ]
    assert refused(one, FILE + b"TRAILER,3\n") == [
        ("line 4", "stock.trailer", "must be a trailer with the number of rows before it, 2")
    ]
    assert mapping().is_whole(FILE[:40])


@pytest.mark.parametrize(
    ("more", "moment"),
    [
        ({}, RECEIVED),
        ({"as_of": "modified"}, dt.datetime(2026, 11, 26, 5, tzinfo=dt.UTC)),
        (
            {"as_of": "name", "as_of_format": "stock-%Y%m%d-%H%M.csv"},
            dt.datetime(2026, 11, 26, 10, 30, tzinfo=dt.UTC),
        ),
    ],
)
def test_the_moment_of_a_count_is_told_by_its_file(more: Any, moment: dt.datetime) -> None:
    one = mapping(**more)
    snapshot, _ = one.load(FILE)

    name, modified = "stock-20261126-0430.csv", str(int(RECEIVED.timestamp()) - 180)
    dated = one.dated(snapshot, name=name, modified=modified, received=RECEIVED)

    assert (dated.as_of, dated.reference) == (moment, name)


def test_a_name_that_tells_no_moment_is_refused() -> None:
    one = mapping(as_of="name", as_of_format="stock-%Y%m%d.csv")
    snapshot, _ = one.load(FILE)

    with pytest.raises(RejectedError, match=r"name of the file is 'stock-x\.csv', expected"):
        one.dated(snapshot, name="stock-x.csv", modified=None, received=RECEIVED)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"pattern": ""}, "pattern is missing"),
        ({"columns": {"sku": "SKU"}}, "columns must be sku and some of on_hand, available"),
        ({"columns": {"sku": "SKU", "gone": "x"}}, "columns must be sku and some of"),
        ({"delimiter": ", "}, "delimiter must be one sign"),
        ({"encoding": "klingon"}, "encoding 'klingon' is not known"),
        ({"as_of": "never"}, "as_of must be name, modified or received"),
        ({"as_of": "name"}, "as_of_format must say how a name tells the moment"),
        ({"trailer": "yes"}, "trailer must be true or false"),
        ({"max_loss": 101}, "max_loss = 101: must be a percentage, 0-100"),
        ({"color": "red"}, "color is not known; known are as_of"),
    ],
)
def test_a_wrong_profile_is_refused_at_the_start(more: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mapping(**more)


def test_without_a_profile_no_file_is_a_count() -> None:
    one = Snapshots().fit({"profile": {"snapshot": {"max_loss": 10}}})

    assert not one.takes("stock-1.csv")
    assert one.max_loss == 10


@given(
    st.binary(max_size=80) | st.text("\"',\n\r\x00A1 \t", max_size=80).map(str.encode),
    st.booleans(),
    st.sampled_from(["utf-8-sig", "latin-1", "utf-16", "idna", "utf-7"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    told: bytes, trailer: bool, encoding: str
) -> None:
    one = mapping(trailer=trailer, encoding=encoding)

    for each in (told, FILE + told, told + FILE):
        one.is_whole(each)
        try:
            one.load(each)
        except RejectedError as error:
            assert error.violations
