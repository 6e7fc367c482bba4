"""What a 940 asks the warehouse for, and that the codec writes whatever is not refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import WRITES
from syncworkers.canonical.orders import Address
from syncworkers.canonical.parts import PartAddressChange, PartCancellation
from syncworkers.errors import RejectedError
from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.read import read
from syncworkers.x12.segments import segment
from syncworkers.x12.write import OutSet, write
from tests.unit.edi_documents import with_profile
from tests.unit.shipbob_parts import HOME, LINE, part
from tests.unit.x12_parts import outgoing

CONNECTION = with_profile(warehouse_name="Example Warehouse", warehouse_code="WH01")
CASE = replace(
    LINE, reference="9101", number=2, sku="TEA", item="TEA-12", unit="case", packed=Decimal("1.50")
)


def dump(operation: str, body: Any, connection: Any = CONNECTION) -> list[list[str]]:
    write_ = WRITES["edi_sftp", operation]
    document = getattr(write_, "fit", lambda _: write_)(connection)(body)
    assert (document["code"], document["functional_id"]) == ("940", "OW")
    segments: list[list[str]] = document["segments"]
    return segments


def written(segments: list[list[str]], delimiters: Delimiters | None = None) -> list[list[str]]:
    """Return what the warehouse reads of it."""
    made = tuple(segment(tag, *elements) for tag, *elements in segments)
    one = OutSet(code="940", control_number="0001", segments=made)
    file = read(write(outgoing(one), delimiters))
    assert file.findings == ()
    (found,) = file.accepted()
    return [[one.tag, *one.elements] for one in found.segments]


def refused(operation: str, body: Any) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as caught:
        dump(operation, body)
    return [(one.path, one.code) for one in caught.value.violations]


def test_a_part_is_an_original_order_of_all_its_lines() -> None:
    segments = dump("part.create", part(shipping_method="GROUND", lines=(LINE, CASE)))

    assert segments == [
        ["W05", "N", "shopify-us/1/1", "1001"],
        ["N1", "WH", "Example Warehouse", "92", "WH01"],
        ["N1", "ST", "Ada Byron"],
        ["N2", "Engines Ltd"],
        ["N3", "12 Main St", "2nd floor"],
        ["N4", "Portland", "OR", "97201", "US"],
        ["N9", "CO", "1001"],
        ["W66", "PP", "U", "", "", "GROUND"],
        ["LX", "1"],
        ["W01", "2", "EA", "", "VN", "20000001"],
        ["N9", "LI", "1"],
        ["LX", "2"],
        ["W01", "1.5", "CA", "", "VN", "TEA-12"],
        ["N9", "LI", "2"],
        ["W76", "3.5"],
    ]
    assert written(segments) == segments


def test_a_shipping_method_may_name_the_carrier_too() -> None:
    segments = dump("part.create", part(shipping_method="FDEG/GROUND"))

    assert ["W66", "PP", "U", "", "", "GROUND", "", "", "", "", "FDEG"] in segments
    assert written(segments) == segments


def test_goods_are_named_by_the_first_qualifier_of_the_profile() -> None:
    segments = dump("part.create", part(lines=(LINE,)), with_profile(sku_qualifiers=["SK", "VN"]))

    assert ["W01", "2", "EA", "", "SK", "20000001"] in segments


def test_of_several_codes_of_a_unit_the_partners_own_first_one_is_written() -> None:
    segments = dump("part.create", part(lines=(CASE,)), with_profile(units={"CA": "crate"}))

    assert ["W01", "1.5", "CS", "", "VN", "TEA-12"] in segments


def test_a_delimiter_in_what_people_read_is_a_blank() -> None:
    address = replace(HOME, name="Ada*Byron ~ Co", street="12 > Main\nSt", city="Port\x00land")

    segments = dump("part.create", part(address=address))

    assert ["N1", "ST", "Ada Byron Co"] in segments
    assert ["N3", "12 Main St", "2nd floor"] in segments
    assert segments[5][1] == "Port land"
    assert written(segments) == segments


def test_the_delimiters_are_those_of_the_partner_file() -> None:
    address = replace(HOME, name="Ada|Byron*")

    segments = dump("part.create", part(address=address), {**CONNECTION, "delimiters": "|~^"})

    assert ["N1", "ST", "Ada Byron*"] in segments
    assert written(segments, Delimiters("|", "~", "^")) == segments


def test_a_long_street_goes_on_in_the_next_element_and_the_next_segment() -> None:
    street = " ".join(["Long Street Name"] * 6)

    segments = dump("part.create", part(address=replace(HOME, street=street)))

    assert [one for one in segments if one[0] == "N3"] == [
        ["N3", "Long Street Name Long Street Name Long Street Name Long", street[56:]],
        ["N3", "2nd floor"],
    ]
    assert written(segments) == segments


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"reference": "a*b"}, "reference", "reference.unfit"),
        ({"reference": "a\nb"}, "reference", "reference.unfit"),
        ({"reference": "a "}, "reference", "reference.unfit"),
        ({"reference": ""}, "reference", "field.missing"),
        ({"order_number": "1~"}, "order_number", "reference.unfit"),
        ({"order_number": "1" * 31}, "order_number", "text.too_long"),
        ({"shipping_method": ""}, "shipping_method", "field.missing"),
        ({"shipping_method": "FDEG/" + "G" * 36}, "shipping_method", "text.too_long"),
        ({"lines": ()}, "lines", "field.missing"),
        ({"lines": (replace(LINE, item="A>B"),)}, "lines[0].item", "reference.unfit"),
        ({"lines": (replace(LINE, item=""),)}, "lines[0].item", "field.missing"),
        ({"lines": (replace(LINE, quantity=0),)}, "lines[0].counted", "quantity.invalid"),
        (
            {"lines": (replace(LINE, packed=Decimal("NaN")),)},
            "lines[0].counted",
            "quantity.invalid",
        ),
        (
            {"lines": (replace(LINE, packed=Decimal("1E20")),)},
            "lines[0].counted",
            "quantity.invalid",
        ),
        ({"lines": (replace(LINE, unit="barrel"),)}, "lines[0].unit", "units.unmapped"),
        ({"address": replace(HOME, name="", company="*")}, "address.name", "field.missing"),
        ({"address": replace(HOME, name="N" * 61)}, "address.name", "text.too_long"),
        ({"address": replace(HOME, street="", street2="")}, "address.street", "field.missing"),
        ({"address": replace(HOME, street="S" * 56)}, "address.street", "text.too_long"),
        ({"address": replace(HOME, street="Street " * 40)}, "address.street", "text.too_long"),
        ({"address": replace(HOME, city="")}, "address.city", "field.missing"),
        ({"address": replace(HOME, country="USA")}, "address.country", "country.unknown"),
    ],
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any], path: str, code: str) -> None:
    assert refused("part.create", part(**changes)) == [(path, code)]


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = part(reference="a*b", lines=(), address=replace(HOME, city=""))

    assert [path for path, _ in refused("part.create", wrong)] == [
        "reference",
        "lines",
        "address.city",
    ]


def test_a_cancellation_is_another_order_of_the_same_reference() -> None:
    segments = dump("part.cancel", PartCancellation(reference="shopify-us/1/1", reason="customer"))

    assert segments == [
        ["W05", "F", "shopify-us/1/1"],
        ["N1", "WH", "Example Warehouse", "92", "WH01"],
    ]
    assert written(segments) == segments


def test_a_cancellation_of_what_cannot_be_named_is_refused() -> None:
    assert refused("part.cancel", PartCancellation(reference="a*b", reason="customer")) == [
        ("reference", "reference.unfit")
    ]


def test_another_address_is_told_by_hand() -> None:
    change = PartAddressChange(reference="shopify-us/1/1", email="", address=HOME)

    with pytest.raises(RejectedError, match="takes no changes by EDI: tell it the new address"):
        dump("part.readdress", change)


TEXT = st.text(max_size=70)


@given(
    st.builds(
        Address,
        name=TEXT,
        company=TEXT,
        street=st.text(max_size=250),
        street2=TEXT,
        city=TEXT,
        region=TEXT,
        postal_code=TEXT,
        country=st.sampled_from(["US", "de", "U*", ""]),
    ),
    st.one_of(TEXT, st.just("SO1001-1")),
    st.sampled_from(["*~>", "|}^", ".-]", "^\\`"]),
)
def test_whatever_is_not_refused_comes_back_as_it_went(
    address: Address, reference: str, delimiters: str
) -> None:
    asked = part(reference=reference, address=address, lines=(LINE, CASE))

    try:
        segments = dump("part.create", asked, {"delimiters": delimiters})
    except RejectedError as error:
        assert error.violations
    else:
        assert written(segments, Delimiters(*delimiters)) == segments
