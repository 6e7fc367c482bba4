"""The whole policy of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.policy.routing import RoutingPolicy
from syncworkers.policy.units import UnitsPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.calendars import Calendar
    from syncworkers.policy.fulfilment import FulfilmentPolicy
    from syncworkers.policy.partners import PartnerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything people decided, by partner or store name; `expectations` by name, in seconds."""

    partners: Mapping[str, PartnerPolicy]
    bookings: Mapping[str, BookingPolicy]
    fulfilment: FulfilmentPolicy
    expectations: Mapping[str, float]
    routing: RoutingPolicy = field(default_factory=RoutingPolicy)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """By warehouse; one without works always, and promises nothing."""
    units: UnitsPolicy = field(default_factory=UnitsPolicy)

    def brand(self, store: str, view: str = "") -> str:
        """Return for which brand a store sold something; `view` is its view that did."""
        return self.fulfilment.stores[store].brands.get(view, self.partners[store].brand)

    def scope(self, store: str, company: str | None = None, view: str = "") -> str:
        """Return brand and company of a store's objects: “1001” exists in each shop.

        None is the store's own company.
        """
        return f"{self.brand(store, view)}/{company or self.bookings[store].company}"
