"""What POST /order refuses with 400, field by field. The wording of refusals is unverified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = frozenset({"DTC", "DropShip", "B2B"})
UNITS = frozenset({"EA", "INP", "CS", "PL"})
LENGTHS = {"reference_id": 300, "order_number": 400, "gift_message": 500}
INT_LIMIT = 2**31 - 1


def complaints(body: Any) -> dict[str, list[str]]:
    """Return what is wrong with an order, by field; empty when it can be taken."""
    if not isinstance(body, dict):
        return {"": ["A non-empty request body is required."]}
    found: dict[str, list[str]] = {}
    for path, told in _complaints(body):
        found.setdefault(path, []).append(told)
    return found


def _complaints(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _required("", body, ("reference_id", "shipping_method"))
    if body.get("type") not in TYPES:
        yield "type", "The type field must be one of DTC, DropShip, B2B."
    for name, limit in LENGTHS.items():
        if len(str(body.get(name) or "")) > limit:
            yield name, f"The field {name} must be a string with a maximum length of {limit}."
    yield from _of_recipient(body.get("recipient"))
    products = body.get("products")
    if not isinstance(products, list) or not products:
        yield "products", "The products field is required."
        return
    for position, line in enumerate(products):
        yield from _of_product(f"products[{position}].", line)


def _of_recipient(recipient: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(recipient, dict):
        yield "recipient", "The recipient field is required."
        return
    yield from _required("recipient.", recipient, ("name",))
    if len(str(recipient.get("phone_number") or "")) > 50:
        yield "recipient.phone_number", "The field must be a string with a maximum length of 50."
    if "email" in recipient and "@" not in str(recipient["email"]):
        yield "recipient.email", "The email field is not a valid e-mail address."
    address = recipient.get("address")
    if not isinstance(address, dict):
        yield "recipient.address", "The address field is required."
        return
    yield from _required("recipient.address.", address, ("address1", "city", "country"))


def _of_product(path: str, line: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(line, dict):
        yield path.rstrip("."), "The product cannot be read."
        return
    yield from _required(path, line, ("reference_id", "name"))
    quantity = line.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity <= INT_LIMIT:
        yield f"{path}quantity", f"The field quantity must be between 1 and {INT_LIMIT}."
    if line.get("quantity_unit_of_measure_code", "EA") not in UNITS:
        yield f"{path}quantity_unit_of_measure_code", "The unit is none of EA, INP, CS, PL."


def _required(
    path: str, fields: dict[str, Any], names: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for name in names:
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            yield f"{path}{name}", f"The {name} field is required."
