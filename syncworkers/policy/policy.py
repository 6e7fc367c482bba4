"""The whole policy of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import FulfilmentPolicy
    from syncworkers.policy.partners import PartnerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything people decided, by partner or store name; `expectations` by name, in seconds."""

    partners: Mapping[str, PartnerPolicy]
    bookings: Mapping[str, BookingPolicy]
    fulfilment: FulfilmentPolicy
    expectations: Mapping[str, float]

    def scope(self, store: str) -> str:
        """Return brand and company of a store's objects: “1001” exists in each shop."""
        return f"{self.partners[store].brand}/{self.bookings[store].company}"
