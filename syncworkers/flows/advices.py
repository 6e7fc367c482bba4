"""Ship advices become snapshots of their part: what follows is the same as for any warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.advices import LineState
from syncworkers.rules import advices as advice_rules
from syncworkers.store import advices as advice_store
from syncworkers.store.advices import StoredAdvice

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from syncworkers.canonical.advices import ShipAdvice
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.roots import Root
    from syncworkers.flows.writes import Writes
    from syncworkers.rules.advices import Folded
    from syncworkers.store.parts import StoredPart

CORRECTED = "shipment.corrected"
SUBSTITUTED = "shipment.substituted"


class Advices:
    """Adds up the documents of one batch to those before them."""

    def __init__(self, session: Session, writes: Writes) -> None:
        self._session = session
        self._writes = writes
        self._said: dict[int, list[ShipAdvice]] = {}
        self._new: list[StoredAdvice] = []

    def load(self, parts: Collection[int]) -> None:
        """Read what was said of these parts before."""
        self._said = advice_store.of_parts(self._session, parts)

    def count(self, part: int) -> int:
        """Return how many documents there are about a part."""
        return len(self._said.get(part, ()))

    def fold(self, part: StoredPart, advice: ShipAdvice) -> Folded:
        """Return how a part stands with this document.

        Raises `RejectedError` for goods that are no line of it.
        """
        return advice_rules.fold(part.lines, [*self._said[part.id], advice])

    def keep(
        self, reading: Reading, root: Root, part: StoredPart, advice: ShipAdvice, folded: Folded
    ) -> None:
        """Take a document in; what it corrects or puts in the place of other goods is a case.

        A repeat is none, and need not be kept.
        """
        if advice in folded.corrections:
            self._open_case(
                reading,
                root,
                part,
                code=CORRECTED,
                told=f"corrects shipment {advice.external_id}, which ERP and store know already: "
                "have it credited and billed again by hand",
            )
            return
        if any(advice.repeats(one) for one in self._said[part.id]):
            return
        self._said[part.id].append(advice)
        stored = StoredAdvice(part_id=part.id, message_id=reading.row["id"], advice=advice)
        self._new.append(stored)
        if any(line.state is LineState.SUBSTITUTED for line in advice.lines):
            goods = " and ".join(
                f"{line.shipped} of {line.sku}"
                for line in advice.lines
                if line.state is LineState.SUBSTITUTED
            )
            self._open_case(
                reading,
                root,
                part,
                code=SUBSTITUTED,
                told=f"sent {goods} in the place of what was ordered (shipment "
                f"{advice.external_id}): correct the stock, and settle it with the customer",
            )

    def _open_case(
        self, reading: Reading, root: Root, part: StoredPart, *, code: str, told: str
    ) -> None:
        self._writes.open_case(
            reading,
            code=code,
            error=f"{part.partner}, order {root.stored.order.number}: {told}",
            called=part.reference,
            correlation_id=root.stored.correlation_id,
        )

    def write(self) -> None:
        """Keep the documents."""
        advice_store.add(self._session, self._new)
