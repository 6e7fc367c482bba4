"""Which family each operation belongs to: written out, for grep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from syncworkers.connectors.dynamics365 import customers, orders, shipments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Outcome, Request
    from syncworkers.connectors.dynamics365.answers import Result
    from syncworkers.connectors.dynamics365.batch import Group, GroupReply
    from syncworkers.connectors.dynamics365.settings import Settings


class Family(Protocol):
    """Operations of one kind of business object."""

    def company(self, request: Request) -> str:
        """Return the legal entity a request is for, in lower case."""
        ...

    def evidence_of(self, request: Request) -> str:
        """Return what we send for a request, for a case."""
        ...


class Batched(Family, Protocol):
    """A family whose operations travel as OData operations in a `$batch`."""

    def is_create(self, request: Request) -> bool:
        """Say whether it makes something new, which needs no version."""
        ...

    def change_groups(self, settings: Settings, request: Request) -> tuple[Group, ...]:
        """Return what makes the effect: one change set, and perhaps a read behind it."""
        ...

    def judge_change(
        self, settings: Settings, request: Request, answers: Sequence[GroupReply], /
    ) -> Result:
        """Say what became of a change."""
        ...

    def look_groups(self, settings: Settings, request: Request) -> tuple[Group, ...]:
        """Return the reads that look an effect up."""
        ...

    def judge_look(
        self, settings: Settings, request: Request, answers: Sequence[GroupReply], /
    ) -> Outcome:
        """Say whether the effect stands: ADOPTED, ABSENT, REJECTED, or RETRY for a failed look."""
        ...


BATCHED: Mapping[str, Batched] = {
    orders.CREATE: orders,
    orders.READDRESS: orders,
    orders.CANCEL: orders,
    customers.CREATE: customers,
}
"""By operation: what travels in a `$batch`."""

FAMILIES: Mapping[str, Family] = {**BATCHED, shipments.CREATE: shipments}
"""By operation: all that we make in the ERP."""
