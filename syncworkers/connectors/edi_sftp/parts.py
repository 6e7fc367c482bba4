"""Effects at an EDI warehouse: each a set in a file, frozen with its numbers, then uploaded.

A frozen file goes as often as it takes: its receiver drops what has a known number and content. So
what is frozen and not there yet is looked up in the ledger, and uploaded (ADR 30); nobody may think
that it was never tried, because it goes with the others of its file.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.edi_sftp import answers
from syncworkers.connectors.edi_sftp.drop import drop
from syncworkers.connectors.edi_sftp.session import opened
from syncworkers.errors import CredentialsError, RetryableError, Violation
from syncworkers.x12.errors import X12Error
from syncworkers.x12.ledger import REJECTED, Document, stands
from syncworkers.x12.segments import segment
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Deadline, Request
    from syncworkers.connectors.edi_sftp.settings import Settings
    from syncworkers.x12.ledger import Effect, Frozen, Ledger

CREATE, CANCEL = "part.create", "part.cancel"
"""A cancel is done only once the warehouse has answered."""
LOG_IN_AGAIN = 60.0
"""Seconds before a server that refuses us is tried again."""


@dataclass(slots=True, kw_only=True)
class _Sent:
    """What became of a batch: the sets that stand, the files that are not there, and why not."""

    begun: Mapping[Effect, Frozen] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    why: Outcome = NOT_STARTED


def push(
    settings: Settings, ledger: Ledger, requests: Sequence[Request], deadline: Deadline
) -> list[Outcome]:
    """Freeze what does not stand in the ledger, and upload what is not there; one outcome each."""
    wanted = {id(one): _document(one) for one in requests}
    outcomes = _decided_before(ledger, requests, wanted)
    outcomes |= _refused(settings, [one for one in requests if id(one) not in outcomes], wanted)
    left = [one for one in requests if id(one) not in outcomes]
    sent = _send(settings, ledger, [wanted[id(one)] for one in left], left, deadline)
    for request in left:
        frozen = sent.begun.get(wanted[id(request)].effect)
        outcomes[id(request)] = _outcome(settings, request, frozen, sent)
    return [outcomes[id(one)] for one in requests]


def find(
    settings: Settings, ledger: Ledger, requests: Sequence[Request], deadline: Deadline
) -> list[Outcome]:
    """Look in the ledger: what stands there is uploaded if need be, anything else is absent.

    Unless the ledger was restored since the order was placed: then nobody knows, until a person
    has asked the warehouse and has it tried again.
    """
    wanted = {id(one): _document(one) for one in requests}
    begun = _begun(ledger, list(wanted.values()))
    there = [one for one in requests if wanted[id(one)].effect in begun]
    made = dict(zip(map(id, there), push(settings, ledger, there, deadline), strict=True))
    restored = ledger.restored_at() if len(there) < len(requests) else None
    return [made.get(id(one)) or _missing(one, restored) for one in requests]


def _missing(request: Request, restored: dt.datetime | None) -> Outcome:
    placed = request.payload.get("placed_at")
    if restored is None or placed is None or request.insisted:
        return Outcome(verdict=Verdict.ABSENT)
    return answers.lost(request.reference, dt.datetime.fromisoformat(placed), restored)


def _begun(ledger: Ledger, documents: Sequence[Document]) -> dict[Effect, Frozen]:
    """Return the sets that say what is wanted and were not refused, by effect."""
    known = ledger.latest({one.reference for one in documents})
    return {
        one.effect: known[one.effect] for one in documents if stands(known.get(one.effect), one)
    }


def _decided_before(
    ledger: Ledger, requests: Sequence[Request], wanted: Mapping[int, Document]
) -> dict[int, Outcome]:
    """Say which cancels need not go: of what was refused, or refused as to their own syntax."""
    cancels = [one for one in requests if one.operation == CANCEL]
    known = ledger.latest({one.reference for one in cancels}) if cancels else {}
    found = {}
    for one in cancels:
        create, frozen = known.get((one.reference, CREATE)), known.get((one.reference, CANCEL))
        same = frozen is not None and frozen.digest == wanted[id(one)].digest
        if create is not None and create.state == REJECTED and create.answer is None:
            found[id(one)] = answers.never_there(create)
        elif frozen is not None and same and frozen.state == REJECTED:
            found[id(one)] = answers.unreadable(frozen)
    return found


def _send(
    settings: Settings,
    ledger: Ledger,
    documents: Sequence[Document],
    requests: Sequence[Request],
    deadline: Deadline,
) -> _Sent:
    """Freeze and upload, the files in the order of their numbers.

    The server is reached first: where it is away or refuses us, nothing is frozen.
    """
    begun = _begun(ledger, documents)
    sent = _Sent(begun=begun, missing={one.file for one in begun.values() if not one.uploaded})
    if deadline.passed() or (not sent.missing and all(one.effect in begun for one in documents)):
        return sent
    started = time.monotonic()
    try:
        with opened(settings, deadline) as sftp:
            _freeze(settings, ledger, documents, requests)
            sent.begun = _begun(ledger, documents)
            files = {one.file: one for one in sent.begun.values() if not one.uploaded}
            sent.missing = set(files)
            for number in sorted(files):
                if deadline.passed():
                    break
                drop(sftp, settings, files[number].name, files[number].body)
                ledger.uploaded([number])
                sent.missing.discard(number)
    except (RetryableError, CredentialsError) as error:
        sent.why = _failed(error, started)
    return sent


def _document(request: Request) -> Document:
    body = request.payload
    return Document(
        code=body["code"],
        operation=request.operation,
        reference=request.reference,
        segments=tuple(segment(tag, *elements) for tag, *elements in body["segments"]),
    )


def _freeze(
    settings: Settings,
    ledger: Ledger,
    documents: Sequence[Document],
    requests: Sequence[Request],
) -> None:
    """Freeze a file for each kind of group."""
    kinds = [one.payload["functional_id"] for one in requests]
    for functional_id in sorted(set(kinds)):
        some = [one for one, kind in zip(documents, kinds, strict=True) if kind == functional_id]
        make = partial(_interchange, settings, functional_id)
        ledger.freeze(settings.route, functional_id, some, make)


def _refused(
    settings: Settings, requests: Sequence[Request], wanted: Mapping[int, Document]
) -> dict[int, Outcome]:
    """Return what becomes of what cannot be written."""
    found = {}
    for one in requests:
        error = _unwritable(settings, one.payload["functional_id"], wanted[id(one)])
        if error is not None:
            found[id(one)] = _rejected(error)
    return found


def _unwritable(settings: Settings, functional_id: str, document: Document) -> X12Error | None:
    """Say why a set cannot be written: it must not take the others of its file along."""
    try:
        _interchange(settings, functional_id, 1, [document])
    except X12Error as error:
        return error
    return None


def _interchange(
    settings: Settings, functional_id: str, number: int, documents: Sequence[Document]
) -> tuple[str, bytes]:
    """Write a file; returns its name and its bytes. Raises `X12Error`."""
    sets = tuple(
        OutSet(code=one.code, control_number=f"{place:04}", segments=one.segments)
        for place, one in enumerate(documents, start=1)
    )
    route = settings.route
    interchange = OutInterchange(
        sender_qualifier=settings.sender_qualifier,
        sender=route.sender.partition("/")[2],
        receiver_qualifier=settings.receiver_qualifier,
        receiver=route.receiver.partition("/")[2],
        control_number=number,
        at=dt.datetime.now(ZoneInfo(settings.zone)),
        usage=route.usage,
        groups=(
            OutGroup(
                functional_id=functional_id,
                sender=settings.group_sender,
                receiver=settings.group_receiver,
                control_number=number,
                sets=sets,
                version=settings.version,
            ),
        ),
        version=settings.version[:5],
    )
    # Tests and production count apart, and must not meet under one name when a partner goes live.
    kind = f"{functional_id.lower()}-test" if route.usage == "T" else functional_id.lower()
    return f"{kind}-{number:09}.edi", write(interchange, settings.delimiters)


def _rejected(error: X12Error) -> Outcome:
    path = f"{error.tag}-{error.element:02}" if error.element else error.tag
    violation = Violation(path=path, code=error.code, message=error.message)
    return Outcome(verdict=Verdict.REJECTED, error=str(error), violations=(violation,))


def _failed(error: RetryableError | CredentialsError, began: float) -> Outcome:
    refuses_us = isinstance(error, CredentialsError)
    return Outcome(
        verdict=Verdict.RETRY,
        error=str(error),
        after=LOG_IN_AGAIN if refuses_us else None,
        pause=refuses_us,
        credentials=refuses_us,
        duration_ms=int((time.monotonic() - began) * 1000),
        call="sftp",
    )


def _outcome(settings: Settings, request: Request, frozen: Frozen | None, sent: _Sent) -> Outcome:
    if frozen is None:
        return sent.why
    if frozen.file in sent.missing:
        why = sent.why.error or "there was no time left to upload it"
        return sent.why if sent.why.pause else Outcome(verdict=Verdict.UNKNOWN, error=why)
    if request.operation == CANCEL:
        return answers.to_cancel(frozen, settings.answered_within)
    numbers = f"{frozen.number}/{frozen.place:04}"
    return Outcome(
        verdict=Verdict.ADOPTED if frozen.uploaded else Verdict.CONFIRMED,
        external_id=request.reference,
        external_version=numbers,
        status=200,
        call=frozen.name,
    )
