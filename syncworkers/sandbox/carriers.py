"""Parcels as carriers number them, check digits included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel handed to a carrier."""

    carrier: str
    service: str
    number: str
    url: str


def make_parcel(serial: int, chance: random.Random) -> Parcel:
    """Number a parcel; no two serials, below ten million, make the same number."""
    match chance.choice(("USPS", "UPS", "FedEx")):
        case "USPS":
            number = usps(serial)
            url = f"https://tools.usps.com/go/TrackConfirmAction?tLabels={number}"
            return Parcel("USPS", "Ground Advantage", number, url)
        case "UPS":
            number = ups(serial)
            return Parcel("UPS", "Ground", number, f"https://www.ups.com/track?tracknum={number}")
        case _:
            number = fedex(serial)
            url = f"https://www.fedex.com/fedextrack/?trknbr={number}"
            return Parcel("FedEx", "FedEx Ground", number, url)


def usps(serial: int) -> str:
    """Return the 22 digits of an Intelligent Mail package barcode."""
    digits = f"94001118992{serial:010d}"
    return f"{digits}{usps_check(digits)}"


def ups(serial: int) -> str:
    """Return the 18 characters of a 1Z number, by ground."""
    body = f"999AA103{serial:07d}"
    return f"1Z{body}{ups_check(body)}"


def fedex(serial: int) -> str:
    """Return the 12 digits of an express number."""
    digits = f"7946{serial:07d}"
    return f"{digits}{fedex_check(digits)}"


def usps_check(digits: str) -> int:
    """Return the check digit: modulo 10, weights 3 and 1 from the right."""
    total = sum(int(one) * (3, 1)[place % 2] for place, one in enumerate(reversed(digits)))
    return -total % 10


def ups_check(body: str) -> int:
    """Return the check digit of what follows 1Z: letters count from A = 2, every second twice."""
    values = [int(one) if one.isdecimal() else (ord(one) - 63) % 10 for one in body]
    return -(sum(values[0::2]) + 2 * sum(values[1::2])) % 10


def fedex_check(digits: str) -> int:
    """Return the check digit: modulo 11, weights 3, 1 and 7."""
    total = sum(int(one) * (3, 1, 7)[place % 3] for place, one in enumerate(digits))
    return total % 11 % 10
