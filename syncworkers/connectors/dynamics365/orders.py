"""Orders as batch operations, and what the answers to them mean.

An order is created whole: header, lines and charges in one change set under our own number. Changes
are guarded by the ETag, and the header is read back in the same batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365.answers import reject
from syncworkers.connectors.dynamics365.batch import Group, Operation
from syncworkers.connectors.dynamics365.comparison import (
    DOCUMENT,
    differences,
    line_differences,
    set_differences,
)
from syncworkers.connectors.dynamics365.odata import filter_address, key_address, set_address
from syncworkers.connectors.dynamics365.replies import done_or_not, etag_of, seen_or_not
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.secrets import EVIDENCE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.dynamics365.answers import Result
    from syncworkers.connectors.dynamics365.batch import GroupReply, Reply
    from syncworkers.connectors.dynamics365.replies import Rows
    from syncworkers.connectors.dynamics365.settings import Settings

CREATE = "order.create"
READDRESS = "order.readdress"
CANCEL = "order.cancel"
KEY = ("dataAreaId", "SalesOrderNumber")
REFERENCE = "CustomersOrderReference"
ADDRESS = ("DeliveryAddress", "IsDeliveryAddress")
"""How the fields of an address begin."""


def company(request: Request) -> str:
    """Return the legal entity a request is for, as the ERP writes it."""
    return str(request.payload["header"]["dataAreaId"]).lower()


def is_create(request: Request) -> bool:
    """Say whether it makes a new order; all other operations change one."""
    return request.operation == CREATE


def change_groups(settings: Settings, request: Request) -> tuple[Group, ...]:
    """Return what makes the effect: a create, or a change and a look at what it left."""
    if is_create(request):
        return (Group(tuple(_creates(settings, request.payload))),)
    address = key_address(settings.header_set, _key(request))
    body = dump_json(_changed(settings, request))
    patch = Operation(method="PATCH", path=address, body=body, etag=request.external_version)
    return (
        Group((patch,)),
        Group((Operation(method="GET", path=address),)),
    )


def _creates(settings: Settings, payload: Mapping[str, Any]) -> Iterator[Operation]:
    sets = ((settings.line_set, "lines"), (settings.charge_set, "charges"))
    path = set_address(settings.header_set)
    yield Operation(method="POST", path=path, body=dump_json(payload["header"]))
    for name, part in sets:
        path = set_address(name)
        for fields in payload[part]:
            yield Operation(method="POST", path=path, body=dump_json(fields))


def evidence_of(request: Request) -> str:
    """Return what we send for a request, for a case."""
    parts = [
        f"{part}: {dump_json(fields)}"
        for part in ("header", "lines", "charges")
        for fields in _several(request.payload.get(part, ()))
    ]
    return "\n".join(parts)[:EVIDENCE_LIMIT]


def _several(value: Any) -> Sequence[Mapping[str, Any]]:
    return [value] if isinstance(value, dict) else value


def look_groups(settings: Settings, request: Request) -> tuple[Group, ...]:
    """Return what looks an effect up: always by filter, so that “not there” is an empty list.

    A 404 on a key could mean both a missing order and a missing entity set.
    """
    sets = [settings.header_set]
    if is_create(request):
        sets += [settings.line_set, settings.charge_set]
    key = _key(request)
    return tuple(Group((Operation(method="GET", path=filter_address(one, key)),)) for one in sets)


def _key(request: Request) -> dict[str, str]:
    number = request.external_id if request.imported else request.payload["header"][KEY[1]]
    return {KEY[0]: company(request), KEY[1]: str(number)}


def _changed(settings: Settings, request: Request) -> dict[str, Any]:
    """Return only the fields we own and change: never a whole entity."""
    if request.operation == CANCEL:
        return {"SalesOrderStatus": settings.cancel_status}
    header = request.payload["header"]
    return {name: header[name] for name in header if name not in {*KEY, REFERENCE}}


def judge_change(settings: Settings, request: Request, answers: Sequence[GroupReply]) -> Result:
    """Say what became of a change; a refusal is returned as it is, it may deserve a second look."""
    done = done_or_not(answers[0], change_of_key=not is_create(request))
    if not isinstance(done, list):
        return done
    if is_create(request):
        return _created(request, done)
    seen = answers[1].replies[0]
    stands = seen.fields() if seen is not None and seen.status == 200 else None
    found = differences(_changed(settings, request), stands or {})
    etag = etag_of(seen, stands) or etag_of(done[0], None)
    return _confirmed(request, done[0].status, etag, found)


def _created(request: Request, done: Sequence[Reply]) -> Outcome:
    payload = request.payload
    sent = [("header", payload["header"])]
    for part in ("lines", "charges"):
        sent += [(f"{part}[{place}]", fields) for place, fields in enumerate(payload[part])]
    found = []
    for (place, fields), reply in zip(sent, done, strict=True):
        compare = line_differences if place.startswith("lines") else differences
        found += [f"{place}.{one}" for one in compare(fields, reply.fields() or {})]
    return _confirmed(request, done[0].status, etag_of(done[0], done[0].fields()), found)


def _confirmed(request: Request, status: int, etag: str | None, found: list[str]) -> Outcome:
    return Outcome(
        verdict=Verdict.CONFIRMED,
        status=status,
        external_id=_key(request)[KEY[1]],
        external_version=etag,
        error=f"the ERP keeps other values than sent: {'; '.join(found)}" if found else None,
    )


def judge_look(settings: Settings, request: Request, answers: Sequence[GroupReply]) -> Outcome:
    """Say whether the effect stands there: ADOPTED, ABSENT, REJECTED, or the look-up failed."""
    rows = seen_or_not(answers)
    if not isinstance(rows, list):
        return rows
    if is_create(request):
        return _look_create(request, *rows)
    return _look_change(settings, request, rows[0])


def _look_create(
    request: Request,
    headers: Rows,
    lines: Rows,
    charges: Rows,
) -> Outcome:
    if not headers:
        return Outcome(verdict=Verdict.ABSENT, status=200)
    payload, stands = request.payload, headers[0]
    foreign = _foreign(request, stands)
    if foreign is not None:
        return foreign
    header = {name: payload["header"][name] for name in payload["header"] if _counts(request, name)}
    found = differences(header, stands, DOCUMENT)
    found += set_differences(payload["lines"], lines, payload["charges"], charges)
    others = differences(header, stands)
    every = tuple(dict.fromkeys([*found, *others]))
    if found:
        told = f"the order there differs: {'; '.join(found)}"
        return replace(reject("erp.order_differs", told, status=200), differences=every)
    return replace(_adopted(request, stands, others), differences=every)


def _counts(request: Request, name: str) -> bool:
    """Say whether a header field there must be as ours."""
    if request.imported and name in {*KEY, REFERENCE}:
        return False
    return not (request.readdressed and name.startswith(ADDRESS))


def _look_change(settings: Settings, request: Request, headers: Rows) -> Outcome:
    if not headers:
        return reject("erp.order_missing", "the order to change is not there", status=200)
    stands = headers[0]
    foreign = _foreign(request, stands)
    if foreign is not None:
        return foreign
    changed = _changed(settings, request)
    if not differences(changed, stands, tuple(changed)):
        return _adopted(request, stands, [])
    return Outcome(verdict=Verdict.ABSENT, status=200, external_version=etag_of(None, stands))


def _foreign(request: Request, stands: Mapping[str, Any]) -> Outcome | None:
    theirs = str(stands.get(REFERENCE) or "")
    if request.imported:
        return None
    if theirs.casefold() == request.reference.casefold():
        return None
    number = _key(request)[KEY[1]]
    told = f"order {number} stands there with the reference {theirs!r}"
    return reject("erp.number_taken", told, status=200)


def _adopted(request: Request, stands: Mapping[str, Any], others: list[str]) -> Outcome:
    return Outcome(
        verdict=Verdict.ADOPTED,
        status=200,
        external_id=_key(request)[KEY[1]],
        external_version=etag_of(None, stands),
        error=f"adopted, with other values than ours: {'; '.join(others)}" if others else None,
    )
