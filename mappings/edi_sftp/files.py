"""A file of X12 interchanges: which documents it brings, and how they are acknowledged.

Source: X12 004010, the envelopes ISA, GS and ST; which element names what a document is about is
what our partners' documents have in common.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import acknowledgements
from syncworkers.canonical.files import (
    DocumentFate,
    ReceivedDocument,
    ReceivedFile,
    ReceivedGroup,
    ReceivedInterchange,
    Refusal,
)
from syncworkers.canonical.kinds import Kind
from syncworkers.errors import RejectedError, Violation
from syncworkers.x12.errors import X12Error, place
from syncworkers.x12.findings import Finding
from syncworkers.x12.outcomes import Group, Interchange, SetRead
from syncworkers.x12.read import RULES, read_sets
from syncworkers.x12.rules import Level, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from syncworkers.x12.segments import TransactionSet

FUNCTIONAL_ACKNOWLEDGEMENT = "997"
INCOMPLETE = "x12.incomplete"
LONGEST = 200
"""Characters of a name by which a document keeps its turn; it is read whole elsewhere."""
END, TAIL = b"IEA", 64
"""What stands within so many bytes of the end of a whole file."""


@dataclass(frozen=True, slots=True)
class About:
    """What a document is about: its kind, and the element that names the object."""

    kind: Kind
    tag: str
    element: int


ABOUT: Mapping[str, About] = {
    "945": About(Kind.SHIPMENT, "W06", 2),
    "214": About(Kind.SHIPMENT, "B10", 2),
    "856": About(Kind.SHIPMENT, "BSN", 2),
    "944": About(Kind.STOCK, "W17", 3),
    "947": About(Kind.STOCK, "W15", 2),
    "846": About(Kind.STOCK, "BIA", 3),
    "861": About(Kind.STOCK, "BRA", 1),
    "180": About(Kind.STOCK, "BGN", 2),
    "810": About(Kind.CHARGE, "BIG", 2),
    "210": About(Kind.CHARGE, "B3", 2),
}
"""By document. What is about the same object keeps its turn."""


@dataclass(frozen=True, slots=True)
class Files:
    """Reads the files of one partner by its rules."""

    rules: Rules = RULES
    ours: str = ""
    """Our own id: ISA08 of what is for us; empty where it is not known."""
    usage: str = ""
    """ISA15 of what is for us."""
    name: str = "edi_sftp.file/1"

    def fit(self, connection: Mapping[str, Any]) -> Files:
        """Return the reader by the rules of a partner file: `[connection.rules]`.

        What is for somebody else is refused, tests on a route of production and the reverse as
        well: it would be taken here and be missing there. Raises `ValueError` for a rule
        nobody knows.
        """
        table = connection.get("rules", {})
        levels = {one.name for one in fields(Rules)} - {"production", "max_segments"}
        for key, level in table.items():
            if key not in levels or level not in set(Level):
                known = ", ".join(sorted(levels))
                message = f"[connection.rules] {key} = {level!r}: must be error or warn, of {known}"
                raise ValueError(message)
        chosen: dict[str, Any] = {key: Level(level) for key, level in table.items()}
        usage = str(connection.get("usage", ""))
        rules = Rules(**chosen, production=usage == "P")
        return Files(rules=rules, ours=str(connection.get("sender", "")), usage=usage)

    def is_whole(self, body: bytes) -> bool:
        """Say whether a file has its end; one that is damaged elsewhere is whole as well."""
        if END in body[-TAIL:]:
            return True
        try:
            for _ in read_sets(body, self.rules):
                pass
        except X12Error as error:
            return error.code != INCOMPLETE
        return True

    def load(self, body: bytes) -> tuple[ReceivedFile, tuple[str, ...]]:
        """Return what is in a file, and which deviations were passed over.

        Raises `RejectedError` where it cannot be read at all, naming segment and element.
        """
        taking = _Taking(self._astray)
        try:
            for item in read_sets(body, self.rules):
                taking.take(item)
        except X12Error as error:
            path = place(error.segment, error.tag, error.element).removesuffix(": ")
            violation = Violation(path=path, code=error.code, message=error.message)
            raise RejectedError(f"the file is wrong: {error}", violations=[violation]) from error
        return ReceivedFile(interchanges=tuple(taking.interchanges)), taking.deviations()

    def _astray(self, read_: Interchange) -> Iterator[Refusal]:
        """Say why an interchange is not for us, by its ISA."""
        receiver, usage = read_.envelope.receiver.strip(), read_.envelope.usage
        if self.ours and receiver != self.ours:
            message = f"is {receiver!r}, expected {self.ours!r}: it is for somebody else"
            yield Refusal(path="ISA-08", code="edi.not_for_us", message=message)
        if self.usage == "T" and usage == "P":
            message = "is 'P', expected 'T': production on a route of tests"
            yield Refusal(path="ISA-15", code="x12.usage", message=message)


FILES = Files()
"""By the rules of nobody in particular."""


class _Taking:
    """Takes in a file set by set: of each only what it says is kept, so that a large one fits.

    What is found about a group or an interchange comes at its end.
    """

    def __init__(self, astray: Callable[[Interchange], Iterable[Refusal]]) -> None:
        self.interchanges: list[ReceivedInterchange] = []
        self._astray = astray
        self._groups: list[ReceivedGroup] = []
        self._of_groups: list[str] = []
        """What each group of the interchange says, for its digest."""
        self._warned: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        self._sets: list[SetRead] = []
        self._documents: list[ReceivedDocument] = []
        self._fates: list[DocumentFate] = []
        self._refusals: list[Refusal] = []
        self._told = hashlib.sha256()

    def take(self, item: SetRead | Group | Interchange | Finding) -> None:
        """Take in what was read next."""
        match item:
            case SetRead():
                self._set(item)
            case Group():
                self._group(item)
            case Interchange():
                self._interchange(item)
            case Finding():
                self._warn([item])

    def deviations(self) -> tuple[str, ...]:
        """Name what was warned of, each kind once: counted as drift, because nothing is silent."""
        return tuple(sorted(self._warned, key=self._warned.__getitem__))

    def _warn(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            if one.level is Level.WARN:
                where = f"{one.tag}-{one.element:02}" if one.element else one.tag
                first = self._warned.setdefault(f"{where}: {one.code}", one.segment)
                self._warned[f"{where}: {one.code}"] = min(first, one.segment)

    def _set(self, one: SetRead) -> None:
        self._warn(one.findings)
        found = one.transaction_set
        said = repr(one.findings) if found is None else found.said()
        self._told.update(repr((one.code, one.control_number, said)).encode())
        self._sets.append(replace(one, transaction_set=None))
        if found is None:
            self._refusals += _refusals(one.findings)
        elif one.code == FUNCTIONAL_ACKNOWLEDGEMENT:
            self._fates += acknowledgements.fates(found)
        else:
            self._documents.append(_document(one, found, len(self._sets)))

    def _group(self, read_: Group) -> None:
        self._warn(read_.findings)
        group = ReceivedGroup(
            functional_id=read_.envelope.functional_id.replace("\x00", ""),
            number=read_.envelope.group_control_number.replace("\x00", ""),
            documents=() if read_.refused else tuple(self._documents),
            refusals=(*_refusals(read_.findings), *self._refusals),
            fates=tuple(self._fates),
            acknowledgement=acknowledgements.answer(replace(read_, sets=tuple(self._sets))),
        )
        self._groups.append(group)
        self._of_groups.append(f"{read_.envelope!r} {self._told.hexdigest()}")
        self._begin()

    def _interchange(self, read_: Interchange) -> None:
        self._warn(read_.findings)
        envelope = read_.envelope
        number = envelope.control_number.strip()
        refusals = (*_refusals(read_.findings), *self._astray(read_))
        if not number.isascii() or not number.isdigit():
            message = f"is {number!r}, expected a number"
            refusals += (Refusal(path="ISA-13", code="x12.interchange_number", message=message),)
        answers = [repr(read_.acknowledgements)] if read_.acknowledgements else []
        said = "\n".join([repr(envelope), *answers, *self._of_groups])
        interchange = ReceivedInterchange(
            sender=f"{envelope.sender_qualifier}/{envelope.sender}",
            receiver=f"{envelope.receiver_qualifier}/{envelope.receiver}",
            usage=envelope.usage,
            number=int(number) if not refusals else 0,
            digest=hashlib.sha256(said.encode()).hexdigest(),
            groups=tuple(self._groups),
            refusals=refusals,
            fates=tuple(acknowledgements.refused_files(read_.acknowledgements)),
        )
        self.interchanges.append(interchange)
        self._groups.clear()
        self._of_groups.clear()


def _document(one: SetRead, found: TransactionSet, number: int) -> ReceivedDocument:
    about = ABOUT.get(one.code)
    named = "" if about is None else _named(found, about)
    return ReceivedDocument(
        topic=f"edi/{one.code}",
        kind=Kind.FILE if about is None else about.kind,
        entity=named or f"{one.code}/{found.envelope.control_number}/{one.control_number}",
        number=one.control_number,
        place=number,
        body=replace(found, place=one.place).dumps(),
    )


def _named(found: TransactionSet, about: About) -> str:
    named = (one.get(about.element).strip() for one in found.segments if one.tag == about.tag)
    return next(named, "")[:LONGEST]


def _refusals(findings: Iterable[Finding]) -> list[Refusal]:
    return [
        Refusal(
            path=place(one.segment, one.tag, one.element).removesuffix(": "),
            code=one.code,
            message=one.message,
        )
        for one in findings
        if one.level is Level.ERROR
    ]
