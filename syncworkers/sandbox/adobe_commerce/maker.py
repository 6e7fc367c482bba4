"""Make orders as people place them: every kind of product, seeded, with the shop's own sums."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from syncworkers.sandbox.shopify.catalogue import ARTICLES, EU_PLACES, PEOPLE, Article, Place

Order = dict[str, Any]
CENT = Decimal("0.01")
METHODS = (("flatrate_flatrate", Decimal("5.95")), ("express_express", Decimal("14.90")))
BUNDLE = "BREAKFAST-SET"
"""A bundle whose parts have the prices."""
WARRANTY = ("WARRANTY-2Y", "Warranty, two years", Decimal("12.00"))
"""Nothing that anybody could ship."""
FIRST_ID = 5000
VIEWS = ("1", "2")
"""Two store views of one website."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One product of an order before it is written down."""

    kind: str
    sku: str
    title: str
    price: Decimal
    quantity: int
    parts: tuple[Article, ...] = ()


class OrderMaker:
    """Makes one order after another; the same seed makes the same orders."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"adobe/{seed}")
        self._order = FIRST_ID + seed % 1000 * 100_000
        self._item = self._order * 10

    def make(self, now: str) -> Order:
        """Return a new order as REST shows it, placed at `now`."""
        self._order += 1
        place, person = self._chance.choice(EU_PLACES), self._chance.choice(PEOPLE)
        only_virtual = self._happens(0.03)
        sold = [self._warranty()] if only_virtual else list(self._products())
        percent = Decimal(self._chance.choice((10, 20))) if self._happens(0.25) else Decimal(0)
        items: list[Order] = []
        for one in sold:
            items += self._rows(one, place, percent)
        return self._write(now, place, person, items, ships=not only_virtual)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def _warranty(self) -> Sold:
        sku, title, price = WARRANTY
        return Sold(kind="virtual", sku=sku, title=title, price=price, quantity=1)

    def _products(self) -> Any:
        for article in self._chance.sample(ARTICLES, self._chance.choice((1, 1, 2, 3))):
            kind = "configurable" if article.sku.startswith("MUG") else "simple"
            quantity = self._chance.choice((1, 1, 2, 3))
            yield Sold(
                kind=kind,
                sku=article.sku,
                title=article.title,
                price=article.price,
                quantity=quantity,
            )
        if self._happens(0.2):
            parts = tuple(self._chance.sample(ARTICLES, 2))
            price = sum((one.price for one in parts), Decimal(0))
            yield Sold(
                kind="bundle", sku=BUNDLE, title="Breakfast", price=price, quantity=2, parts=parts
            )
        if self._happens(0.1):
            yield self._warranty()
        if self._happens(0.05):  # a gift: packed, and free
            yield Sold(kind="simple", sku="SPOON-OLIVE", title="Gift", price=Decimal(0), quantity=1)

    def _rows(self, sold: Sold, place: Place, percent: Decimal) -> list[Order]:
        parts = [
            replace(sold, kind="simple", sku=one.sku, title=one.title, price=one.price)
            for one in sold.parts
        ]
        children = [self._row(one, place, percent) for one in parts]
        parent = self._row(sold, place, percent)
        if children:
            # A bundle's parent repeats the money of its parts.
            for name in ("discount_amount", "tax_amount"):
                parent[name] = float(sum(Decimal(str(one[name])) for one in children))
        if sold.kind == "configurable":
            free = replace(sold, kind="simple", price=Decimal(0))
            children = [{**self._row(free, place, Decimal(0)), "price": float(sold.price)}]
        return [parent, *({**child, "parent_item_id": parent["item_id"]} for child in children)]

    def _row(self, sold: Sold, place: Place, percent: Decimal) -> Order:
        self._item += 1
        gross = sold.price * sold.quantity
        discount = (gross * percent / 100).quantize(CENT, ROUND_HALF_UP)
        tax = ((gross - discount) * place.rate).quantize(CENT, ROUND_HALF_UP)
        return {
            "item_id": self._item,
            "order_id": self._order,
            "sku": sold.sku,
            "name": sold.title,
            "product_type": sold.kind,
            "qty_ordered": sold.quantity,
            "qty_canceled": 0,
            "qty_invoiced": 0,
            "qty_refunded": 0,
            "qty_shipped": 0,
            "price": float(sold.price),
            "row_total": float(gross),
            "discount_amount": float(discount),
            "tax_amount": float(tax),
            "tax_percent": float(place.rate * 100),
            "is_virtual": int(sold.kind == "virtual"),
        }

    def _write(
        self,
        now: str,
        place: Place,
        person: tuple[str, str],
        items: list[Order],
        *,
        ships: bool,
    ) -> Order:
        method, fee = self._chance.choice(METHODS)
        fee = fee if ships else Decimal(0)
        top = [row for row in items if "parent_item_id" not in row]
        subtotal = _sum(top, "row_total")
        discount, tax = _sum(top, "discount_amount"), _sum(top, "tax_amount")
        total = subtotal - discount + tax + fee
        card = min(total, Decimal(10)) if self._happens(0.05) else Decimal(0)
        address = self._address(place, person)
        guest = self._happens(0.3)
        order: Order = {
            "entity_id": self._order,
            "increment_id": f"{self._order:09d}",
            "store_id": int(self._chance.choice(VIEWS)),
            "created_at": now,
            "updated_at": now,
            "state": "new",
            "status": "pending",
            "base_currency_code": "EUR",
            "order_currency_code": "EUR",
            "base_to_order_rate": 1,
            "subtotal": float(subtotal),
            "discount_amount": -float(discount),
            "tax_amount": float(tax),
            "discount_tax_compensation_amount": 0,
            "shipping_amount": float(fee),
            "shipping_discount_amount": 0,
            # As sums of floats are told: with noise.
            "grand_total": float(total - card) + 1e-13,
            "base_grand_total": float(total - card),
            "total_item_count": len(top),
            "total_qty_ordered": sum(row["qty_ordered"] for row in top),
            "is_virtual": int(not ships),
            "customer_is_guest": int(guest),
            "customer_email": f"buyer{self._order}@example.com",
            "customer_firstname": person[0],
            "customer_lastname": person[1],
            "items": items,
            "billing_address": {**address, "address_type": "billing"},
            "payment": {
                "method": "checkmo",
                "account_status": None,
                "additional_information": [],
                "cc_last4": None,
            },
            "status_histories": [],
            "extension_attributes": {"gift_cards_amount": float(card)} if card else {},
        }
        if not guest:
            order["customer_id"] = 1 + PEOPLE.index(person)
        if ships:
            shipping = {"address": {**address, "address_type": "shipping"}, "method": method}
            assignment = {"shipping": shipping, "items": items}
            order["extension_attributes"]["shipping_assignments"] = [assignment]
        return order

    def _address(self, place: Place, person: tuple[str, str]) -> Order:
        return {
            "firstname": person[0],
            "lastname": person[1],
            "street": [place.street],
            "city": place.city,
            "postcode": place.postal_code,
            "country_id": place.country,
            "telephone": "000",
            **({"region_code": place.province} if place.province else {}),
        }


def _sum(rows: list[Order], name: str) -> Decimal:
    return sum((Decimal(str(row[name])) for row in rows), Decimal(0))
