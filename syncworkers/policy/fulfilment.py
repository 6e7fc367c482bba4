"""How orders are shipped and told of: per store and per warehouse, explicit tables, no defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

AFTER_BOOKING = "erp_booked"
AFTER_VALIDATION = "validated"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """`[stores.<name>]` of `config/fulfilment.toml`."""

    warehouse: str
    release_after: str
    """`erp_booked`: the warehouse gets an order once it stands in the ERP; `validated`: at once."""
    release_limit: Mapping[str, Decimal]
    """With `validated`: by currency, the total above which an order waits for the ERP all the same.
    A currency that is not listed always waits."""
    notify_customer: bool
    """The store writes to the customer when goods are on their way."""
    invoice_url: str
    """A link to an invoice, with `{company}` and `{number}`; empty: none is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePolicy:
    """`[warehouses.<name>]`. A missing entry is a violation, never the warehouse's own default.

    `shipping_methods` maps the store's shipping method to the warehouse's; `items` the store's SKU
    to the warehouse's own id of the goods.
    """

    shipping_methods: Mapping[str, str]
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentPolicy:
    """`config/fulfilment.toml`; `carriers` maps a warehouse's name of a carrier to the public one.

    A carrier that is not listed keeps the name it came with.
    """

    stores: Mapping[str, StorePolicy]
    warehouses: Mapping[str, WarehousePolicy]
    carriers: Mapping[str, str]
