"""Effects at an EDI warehouse: each a set in a file, frozen with its numbers, then uploaded.

A frozen file goes as often as it takes: its receiver drops what has a known number and content. So
nothing here is ever of unknown outcome (ADR 30).
"""

from __future__ import annotations

import datetime as dt
import time
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
    from syncworkers.x12.ledger import Frozen, Ledger

CANCEL = "part.cancel"
"""What is done only once the warehouse has answered."""
LOG_IN_AGAIN = 60.0
"""Seconds before a server that refuses us is tried again."""


def push(
    settings: Settings, ledger: Ledger, requests: Sequence[Request], deadline: Deadline
) -> list[Outcome]:
    """Freeze what does not stand in the ledger, and upload what is not there; one outcome each."""
    wanted = {id(one): _document(one) for one in requests}
    outcomes = _refused_before(ledger, requests, wanted)
    outcomes |= _freeze(
        settings, ledger, [one for one in requests if id(one) not in outcomes], wanted
    )
    known = ledger.latest({one.reference for one in wanted.values()})
    begun = {
        one.reference: known[one.reference]
        for one in wanted.values()
        if stands(known.get(one.reference), one)
    }
    files = {one.file: one for one in begun.values() if not one.uploaded}
    failures = _upload(settings, ledger, list(files.values()), deadline)
    for request in requests:
        if id(request) not in outcomes:
            frozen = begun.get(wanted[id(request)].reference)
            outcomes[id(request)] = _outcome(settings, request, frozen, failures)
    return [outcomes[id(one)] for one in requests]


def find(
    settings: Settings, ledger: Ledger, requests: Sequence[Request], deadline: Deadline
) -> list[Outcome]:
    """Look in the ledger: what stands there is uploaded if need be, anything else is absent."""
    wanted = {id(one): _document(one) for one in requests}
    known = ledger.latest({one.reference for one in wanted.values()})
    there = [
        one for one in requests if stands(known.get(wanted[id(one)].reference), wanted[id(one)])
    ]
    made = dict(zip(map(id, there), push(settings, ledger, there, deadline), strict=True))
    return [made.get(id(one), Outcome(verdict=Verdict.ABSENT)) for one in requests]


def _refused_before(
    ledger: Ledger, requests: Sequence[Request], wanted: Mapping[int, Document]
) -> dict[int, Outcome]:
    """Say which cancels were refused as to their syntax: sent again they would be once more."""
    cancels = [one for one in requests if one.operation == CANCEL]
    known = ledger.latest({one.reference for one in cancels}) if cancels else {}
    found = {}
    for one in cancels:
        frozen = known.get(one.reference)
        same = frozen is not None and frozen.digest == wanted[id(one)].digest
        if frozen is not None and same and frozen.state == REJECTED:
            found[id(one)] = answers.unreadable(frozen)
    return found


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
    requests: Sequence[Request],
    wanted: Mapping[int, Document],
) -> dict[int, Outcome]:
    """Freeze a file for each kind of group; return what becomes of what cannot be written."""
    refused: dict[int, Outcome] = {}
    for functional_id in sorted({one.payload["functional_id"] for one in requests}):
        some = [one for one in requests if one.payload["functional_id"] == functional_id]
        for request in some:
            error = _unwritable(settings, functional_id, wanted[id(request)])
            if error is not None:
                refused[id(request)] = _rejected(error)
        documents = [wanted[id(one)] for one in some if id(one) not in refused]
        if documents:
            make = partial(_interchange, settings, functional_id)
            ledger.freeze(settings.route, functional_id, documents, make)
    return refused


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
    return f"{functional_id.lower()}-{number:09}.edi", write(interchange, settings.delimiters)


def _rejected(error: X12Error) -> Outcome:
    path = f"{error.tag}-{error.element:02}" if error.element else error.tag
    violation = Violation(path=path, code=error.code, message=error.message)
    return Outcome(verdict=Verdict.REJECTED, error=str(error), violations=(violation,))


def _upload(
    settings: Settings, ledger: Ledger, files: Sequence[Frozen], deadline: Deadline
) -> dict[int, Outcome]:
    """Upload files in the order of their numbers; return by file why one is not there."""
    failures: dict[int, Outcome] = {one.file: NOT_STARTED for one in files}
    if not files or deadline.passed():
        return failures
    began = time.monotonic()
    try:
        with opened(settings, deadline) as sftp:
            for one in sorted(files, key=lambda one: one.file):
                if deadline.passed():
                    break
                drop(sftp, settings, one.name, one.body)
                ledger.uploaded([one.file])
                del failures[one.file]
    except (RetryableError, CredentialsError) as error:
        return dict.fromkeys(failures, _failed(error, began))
    return failures


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


def _outcome(
    settings: Settings,
    request: Request,
    frozen: Frozen | None,
    failures: Mapping[int, Outcome],
) -> Outcome:
    if frozen is None:
        told = "another set about it was sent meanwhile"
        return Outcome(verdict=Verdict.RETRY, error=told)
    if frozen.file in failures:
        return failures[frozen.file]
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
