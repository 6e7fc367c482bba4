"""What partners say of documents of ours: one that was refused is owed by a person's word again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.rules import effects, expectations
from syncworkers.store import attention, edi_files, outbox
from syncworkers.store import parts as part_store
from syncworkers.store.edi_files import Answer, Answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.files import DocumentFate
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes

REFUSED = "edi.refused"
UNKNOWN = "edi.unknown_number"
CONTRADICTED = "edi.refused_and_reported"


class Fates:
    """Gathers what the acknowledgements of one batch say, and notes it in the ledger."""

    def __init__(self, session: Session, writes: Writes) -> None:
        self._session = session
        self._writes = writes

    def note(self, reading: Reading, fates: Sequence[DocumentFate]) -> None:
        """Note how documents of ours were taken; a refusal becomes a case about that effect."""
        answers = [
            Answer(
                functional_id=one.functional_id,
                number=one.group,
                place=one.place,
                accepted=one.accepted,
                detail=one.detail,
            )
            for one in fates
        ]
        found = edi_files.answer(self._session, reading.partner, answers) if answers else []
        for one in found:
            if one.refused:
                self._refuse(reading, one)
        taken = [
            one.reference
            for one in found
            if one.answer.accepted and one.operation == effects.PART_CREATE
        ]
        # It says of syntax only; but until goods leave, nothing else comes from there.
        for part in part_store.acknowledge(self._session, reading.partner, taken):
            self._writes.end_expectation(expectations.ACKNOWLEDGED, Kind.PART, part)
        for unknown in set(answers) - {one.answer for one in found}:
            self._unknown(reading, unknown)

    def _refuse(self, reading: Reading, refused: Answered) -> None:
        """The effect is undone: a person mends what is wrong, and has it sent again."""
        creates = refused.operation == effects.PART_CREATE
        if creates and part_store.is_reported(self._session, reading.partner, refused.reference):
            self._contradicts(reading, refused)
            return
        delivery = outbox.refuse(
            self._session, reading.partner, refused.operation, refused.reference
        )
        if delivery is None:
            return
        numbers = f"{refused.answer.number}/{refused.place}"
        self._writes.block(
            (delivery.lane, delivery.line) if creates else None,
            attention.NewCase(
                about="delivery",
                about_id=delivery.id,
                partner=reading.partner,
                entity_kind=delivery.entity_kind,
                entity=refused.reference,
                code=REFUSED,
                error=f"{reading.partner} refused {refused.operation} {refused.reference} (sent as "
                f"{numbers}): {refused.answer.detail}; mend it, then retry: it goes under a new "
                "number",
                violations=(),
                payload=None,
                correlation_id=delivery.correlation_id,
            ),
        )

    def _contradicts(self, reading: Reading, refused: Answered) -> None:
        """Tell of a refusal that undoes nothing: sent again, the part would be shipped twice."""
        self._writes.open_case(
            reading,
            code=CONTRADICTED,
            error=f"{reading.partner} refused {refused.reference} (sent as "
            f"{refused.answer.number}/{refused.place}: {refused.answer.detail}), and speaks of it "
            "all the same: ask whether it ships it; it is not sent again",
            called=refused.reference,
        )

    def _unknown(self, reading: Reading, answer: Answer) -> None:
        called = f"{answer.functional_id or 'file'} {answer.number}"
        called += "" if answer.place is None else f"/{answer.place}"
        self._writes.open_case(
            reading,
            code=UNKNOWN,
            error=f"{reading.partner} acknowledges {called}, which we never sent: ask whose it is",
            called=called,
        )
