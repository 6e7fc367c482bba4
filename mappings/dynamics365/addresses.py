"""A postal address as the delivery address of an F&O sales order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pycountry

from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from syncworkers.canonical.orders import Address

COUNTRIES = {country.alpha_2: country.alpha_3 for country in pycountry.countries} | {"XK": "XKX"}
"""F&O's standard country ids are the three-letter codes; Kosovo has its user-assigned one."""


def dump_address(address: Address, fallback_name: str = "") -> dict[str, str]:
    """Return every field of the delivery address, empty ones too, so that old values are replaced.

    Raises `RejectedError` for a country that F&O does not know.
    """
    name = address.name or address.company or fallback_name
    return {
        "DeliveryAddressName": name,
        "DeliveryAddressDescription": address.company or name,
        "DeliveryAddressStreet": "\n".join(filter(None, (address.street, address.street2))),
        "DeliveryAddressCity": address.city,
        "DeliveryAddressStateId": address.region,
        "DeliveryAddressZipCode": address.postal_code,
        "DeliveryAddressCountryRegionId": _country(address.country),
    }


def _country(code: str) -> str:
    known = COUNTRIES.get(code.upper())
    if known is None:
        message = f"{code!r} is no country of ISO 3166-1; correct the order's delivery address"
        violation = Violation(path="address.country", code="country.unknown", message=message)
        raise RejectedError(message, violations=[violation])
    return known
