"""How each store's orders are booked in the ERP: explicit tables, no defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.canonical.orders import AdjustmentKind

ONE_TIME = "one_time"
LINK = "link"
CREATE = "create"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPolicy:
    """`config/booking.toml`, one table per store. A missing entry is a violation, never a default.

    `items` maps the store's SKU to the ERP's item number; `warehouses` the delivery country;
    `delivery_modes` the store's shipping method; `charges` an adjustment kind to a charge code;
    `payment_methods` a payment gateway to the ERP's method of payment.
    """

    store: str
    erp: str
    company: str
    order_prefix: str
    language: str
    customers: str
    """What becomes of a customer without an account in the ERP: the order is booked on the
    `one_time` account, waits for the `link`, or the account is made first (`create`)."""
    customer_prefix: str
    customer_group: str
    """Number (prefix + the store's permanent customer id) and group of accounts we create."""
    one_time_customer: str | None
    """ERP account for guests, and for all others with `one_time`."""
    gift_card_item: str | None
    accept_test_orders: bool
    items: Mapping[str, str]
    warehouses: Mapping[str, str]
    delivery_modes: Mapping[str, str]
    charges: Mapping[AdjustmentKind, str]
    payment_methods: Mapping[str, str]
    currencies: frozenset[str] = frozenset()
    """In which orders are booked in this company; empty: in any."""
    others: Mapping[str, BookingPolicy] = field(default_factory=dict)
    """`[<store>.companies.<company>]`: how it is booked where another company ships it."""

    def of(self, company: str | None) -> BookingPolicy | None:
        """Return how the store's orders are booked in a company; None: it has no table for it.

        None asks for the store's own company.
        """
        return self if company in {None, self.company} else self.others.get(company or "")

    def all(self) -> Sequence[BookingPolicy]:
        """Return the policies of all companies, the store's own first."""
        return (self, *self.others.values())
