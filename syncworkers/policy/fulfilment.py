"""How orders are shipped and told of: per store and per warehouse, explicit tables, no defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

AFTER_BOOKING = "erp_booked"
AFTER_VALIDATION = "validated"


class NodeKind(StrEnum):
    """Who works a place that goods ship from."""

    OWN = "own"
    THIRD_PARTY = "3pl"
    VENDOR = "vendor"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """`[stores.<name>]` of `config/fulfilment.toml`."""

    warehouse: str
    """The node that ships what no rule of `config/routing.toml` speaks of."""
    release_after: str
    """`erp_booked`: the warehouse gets an order once it stands in the ERP; `validated`: at once."""
    release_limit: Mapping[str, Decimal]
    """With `validated`: by currency, the total above which an order waits for the ERP all the same.
    A currency that is not listed always waits."""
    notify_customer: bool
    """The store writes to the customer when goods are on their way."""
    invoice_url: str
    """A link to an invoice, with `{company}` and `{number}`; empty: none is told."""
    brands: Mapping[str, str] = field(default_factory=dict)
    """By the store's view that sold it: the brand, where a store sells for several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePolicy:
    """`[warehouses.<name>]`: a node, a place that goods ship from.

    A missing entry is a violation, never the warehouse's own default. `shipping_methods` maps the
    store's shipping method to the warehouse's; `items` the store's SKU to the warehouse's own id of
    the goods: a SKU without an entry is not kept there.
    """

    shipping_methods: Mapping[str, str]
    items: Mapping[str, str]
    kind: NodeKind = NodeKind.THIRD_PARTY
    company: str | None = None
    """Whose stock it is; None: that of the company of whichever store it ships for."""
    erp_warehouse: str | None = None
    """What the ERP calls it; None: the store's table of countries says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentPolicy:
    """`config/fulfilment.toml`; `carriers` maps a warehouse's name of a carrier to the public one.

    A carrier that is not listed keeps the name it came with.
    """

    stores: Mapping[str, StorePolicy]
    warehouses: Mapping[str, WarehousePolicy]
    carriers: Mapping[str, str]
