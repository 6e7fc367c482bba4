"""Make orders as people place them: seeded, varied, and with sums that a shop would have."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from syncworkers.sandbox.shopify.catalogue import (
    ARTICLES,
    FILTER_CASE,
    GIFT_CARD,
    MARKETS,
    METHODS,
    PEOPLE,
    TEA_TIME,
    Article,
    Market,
    Place,
)

Order = dict[str, Any]
CENT = Decimal("0.01")
FIRST_ID = 9_100_000_000_000_000
"""Above 2^53: ids must pass through as they are."""
FREE_SHIPPING = Decimal(150)
PACKS = 0.06
"""How many of the orders have a kit, and how many a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line before it is written down."""

    article: Article
    quantity: int
    discount: Decimal
    tax: Decimal

    @property
    def net(self) -> Decimal:
        """Return what it costs after its discount."""
        return self.article.price * self.quantity - self.discount


FREE_GIFT = Line(
    article=Article("SPOON-OLIVE", "Olive wood spoon, a gift", Decimal("0.00")),
    quantity=1,
    discount=Decimal(0),
    tax=Decimal(0),
)
"""It is packed and costs nothing."""


class OrderMaker:
    """Makes one order after another; the same seed makes the same orders."""

    def __init__(self, seed: int, market: Market = MARKETS["us"]) -> None:
        self._chance = random.Random(f"orders/{seed}")
        self._shapes = random.Random(f"shapes/{seed}")
        self._packs = random.Random(f"packs/{seed}")
        """Rare shapes, drawn apart, so that all else of a seed stays as it is without them."""
        self._next_id = FIRST_ID + seed % 1_000_000 * 1_000_000
        self._number = 1000
        self._market = market

    def make(self, now: str) -> Order:
        """Return the REST-shaped body of a new order, placed at `now` (ISO 8601)."""
        self._next_id += self._chance.randint(1, 7)
        self._number += 1
        place = self._chance.choice(self._market.places)
        included = self._happens(self._market.included)
        only_gift_card = self._happens(0.02)
        lines = self._lines(place, included=included, only_gift_card=only_gift_card)
        shipping = Decimal(0) if only_gift_card else None
        return self._write(now, place, lines, included=included, shipping=shipping)

    def place(self) -> Place:
        """Return somewhere people move to."""
        return self._chance.choice(self._market.places)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def _lines(self, place: Place, *, included: bool, only_gift_card: bool) -> list[Line]:
        articles = self._chance.sample(ARTICLES, self._chance.choice((1, 1, 2, 2, 3, 4)))
        if only_gift_card:
            articles = [GIFT_CARD]
        elif self._happens(0.04):
            articles.append(GIFT_CARD)
        percent = self._chance.choice((10, 15, 33)) if self._happens(0.2) else 0
        lines = [self._line(one, place, percent, included=included) for one in articles]
        if not only_gift_card and self._shapes.random() < 0.05:
            lines.append(FREE_GIFT)
        if not only_gift_card:
            packs = [one for one in (TEA_TIME, FILTER_CASE) if self._packs.random() < PACKS]
            lines += [
                self._priced(one, self._packs.randint(1, 3), place, percent, included=included)
                for one in packs
            ]
        return lines

    def _line(self, article: Article, place: Place, percent: int, *, included: bool) -> Line:
        quantity = 1 if article.gift_card else self._chance.choice((1, 1, 1, 2, 2, 3, 7))
        return self._priced(article, quantity, place, percent, included=included)

    def _priced(
        self, article: Article, quantity: int, place: Place, percent: int, *, included: bool
    ) -> Line:
        gross = article.price * quantity
        share = Decimal(0 if article.gift_card else percent) / 100
        discount = (gross * share).quantize(CENT, ROUND_HALF_UP)
        rate = Decimal(0) if article.gift_card else place.rate
        net = gross - discount
        part = rate / (1 + rate) if included else rate
        tax = (net * part).quantize(CENT, ROUND_HALF_UP)
        return Line(article=article, quantity=quantity, discount=discount, tax=tax)

    def _write(
        self,
        now: str,
        place: Place,
        lines: list[Line],
        *,
        included: bool,
        shipping: Decimal | None,
    ) -> Order:
        subtotal = sum((line.net for line in lines), Decimal(0))
        tax = sum((line.tax for line in lines), Decimal(0))
        method, fee = self._chance.choice(METHODS)
        freed = fee if subtotal >= FREE_SHIPPING else Decimal(0)
        ships = shipping is None
        tip = Decimal("5.00") if self._happens(0.05) else Decimal(0)
        residue = self._chance.choice((-2, -1, 1, 2)) * CENT if self._happens(0.03) else Decimal(0)
        total = subtotal + (fee - freed if ships else 0) + tip + residue
        total += Decimal(0) if included else tax
        person = self._chance.choice(PEOPLE)
        address = address_of(place, person)
        gateways = ["shopify_payments"]
        if self._happens(0.03):
            gateways.insert(0, "gift_card")
        return {
            "id": self._next_id,
            "admin_graphql_api_id": f"gid://shopify/Order/{self._next_id}",
            "name": f"#{self._number}",
            "order_number": self._number,
            "created_at": now,
            "processed_at": now,
            "updated_at": now,
            "cancelled_at": None,
            "cancel_reason": None,
            "closed_at": None,
            "confirmed": True,
            "currency": self._market.currency,
            "presentment_currency": self._market.currency,
            "financial_status": "paid",
            "fulfillment_status": None,
            "taxes_included": included,
            "test": False,
            "email": f"buyer{self._number}@example.com",
            "note": None,
            "po_number": None,
            "tags": "",
            "payment_gateway_names": gateways,
            "customer": None if self._happens(0.08) else self._customer(person),
            "shipping_address": address if ships else None,
            "billing_address": None if ships and self._shapes.random() < 0.05 else address,
            "line_items": [self._line_item(line, included=included) for line in lines],
            "shipping_lines": [_shipping_line(method, fee, freed)] if ships else [],
            "subtotal_price": str(subtotal),
            "current_subtotal_price": str(subtotal),
            "total_tax": str(tax),
            "current_total_tax": str(tax),
            "total_discounts": str(sum((line.discount for line in lines), freed)),
            "total_tip_received": str(tip),
            "total_price": str(total),
            "current_total_price": str(total),
            "current_total_duties_set": None,
        }

    def _customer(self, person: tuple[str, str]) -> dict[str, Any]:
        return {
            "id": 7_000_000_000 + PEOPLE.index(person),
            "first_name": person[0],
            "last_name": person[1],
            "email": f"person{PEOPLE.index(person)}@example.com",
        }

    def _line_item(self, line: Line, *, included: bool) -> dict[str, Any]:
        article = line.article
        self._next_id += 1
        allocation = {"amount": str(line.discount), "discount_application_index": 0}
        return {
            "id": self._next_id,
            "admin_graphql_api_id": f"gid://shopify/LineItem/{self._next_id}",
            "sku": article.sku or None,
            "title": article.title,
            "name": article.title,
            "quantity": line.quantity,
            "current_quantity": line.quantity,
            "fulfillable_quantity": line.quantity,
            "price": str(article.price),
            "total_discount": "0.00",
            "discount_allocations": [allocation] if line.discount else [],
            "tax_lines": [{"title": "Tax", "price": str(line.tax), "rate": 0.0}]
            if line.tax
            else [],
            "requires_shipping": not article.gift_card,
            "gift_card": article.gift_card,
            "taxable": not article.gift_card,
            "product_id": 1,
        }


def _shipping_line(method: str, fee: Decimal, freed: Decimal) -> dict[str, Any]:
    return {
        "title": method,
        "code": method,
        "price": str(fee),
        "discounted_price": str(fee - freed),
        "discount_allocations": [{"amount": str(freed)}] if freed else [],
        "is_removed": False,
        "tax_lines": [],
    }


def address_of(place: Place, person: tuple[str, str]) -> dict[str, Any]:
    """Write an address as REST bodies have it."""
    return {
        "first_name": person[0],
        "last_name": person[1],
        "name": " ".join(person),
        "company": None,
        "address1": place.street,
        "address2": None,
        "city": place.city,
        "province_code": place.province,
        "zip": place.postal_code,
        "country_code": place.country,
        "phone": None,
    }
