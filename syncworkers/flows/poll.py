"""Poll a partner for what its webhooks lost: only what we have not got is fetched and stored."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import lines
from syncworkers.engine.keys import line_key
from syncworkers.errors import CredentialsError, RetryableError
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import PROCESS
from syncworkers.store import fleet as fleet_state
from syncworkers.store import inbox, invoices, orders, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy.orm import Session

    from syncworkers.connectors.base import Header
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

POLL = "poll"
KNOWN: Mapping[str, Callable[[Session, str, Collection[str]], Mapping[str, dt.datetime]]] = {
    Kind.ORDER: orders.seen_since,
    Kind.SHIPMENT: parts.seen_since,
    Kind.INVOICE: invoices.seen_since,
}
"""By kind: how new our knowledge of objects is, by the partner's ids and clock."""


def poll(fleet: Fleet, partner: str, kind: str) -> int:
    """Read one window of what changed; return how many messages it brought.

    The window overlaps the former one and the cursor moves only to where everything before it is
    stored or known. A partner that is away costs nothing: the same window is read again.
    """
    policy = fleet.partners[partner].policy.poll
    if policy is None:
        return 0
    with fleet.session() as session:
        until = fleet_state.now(session)
        position = fleet_state.position(session, partner, kind)
    since = until - dt.timedelta(seconds=policy.horizon)
    if position is not None:
        since = position - dt.timedelta(seconds=policy.overlap)
    try:
        stored, safe = _read_window(fleet, partner, kind, since, until)
    except (RetryableError, CredentialsError) as error:
        log.warning("poll put off", partner=partner, kind=kind, error=str(error))
        return 0
    with fleet.session() as session:
        fleet_state.move(session, partner, kind, safe)
    return stored


def _read_window(
    fleet: Fleet, partner: str, kind: str, since: dt.datetime, until: dt.datetime
) -> tuple[int, dt.datetime]:
    """Store what is new in the window; return how many, and up to when all is settled."""
    connection = fleet.partners[partner].connection
    stored = 0
    safe = until
    for page in connection.changed(kind, since, until):
        with fleet.session() as session:
            missing, busy = _missing(session, partner, kind, page)
        safe = min([safe, *(header.updated_at for header in busy)])
        for some in _chunks(missing):
            whole = {one.external_id: one.body for one in some if one.body is not None}
            lacking = [one.external_id for one in some if one.body is None]
            records = connection.fetch(kind, lacking) if lacking else []
            texts = whole | {record.external_id: record.body for record in records}
            stored += _store(fleet, partner, kind, some, texts)
    return stored, safe


def _missing(
    session: Session, partner: str, kind: str, page: list[Header]
) -> tuple[list[Header], list[Header]]:
    """Sort out what we lack, and what is under way just now and may or may not be newer."""
    ids = [header.external_id for header in page]
    have = KNOWN[kind](session, partner, ids)
    others = inbox.settled_or_under_way(session, partner, kind, ids)
    stored = inbox.known(session, partner, POLL, [_external_id(header) for header in page])
    missing: list[Header] = []
    busy: list[Header] = []
    for header in page:
        newest = have.get(header.external_id)
        is_open, refused = others.get(header.external_id, (False, None))
        if _external_id(header) in stored or (newest and newest >= header.updated_at):
            continue
        if is_open:
            busy.append(header)
        elif refused is None or refused < header.updated_at:
            missing.append(header)
    return missing, busy


def _store(
    fleet: Fleet, partner: str, kind: str, headers: list[Header], texts: Mapping[str, str]
) -> int:
    lane = fleet.lanes[PROCESS[kind]]
    messages = [
        inbox.NewMessage(
            lane=lane.id,
            line=line_key(partner, kind, header.external_id),
            partner=partner,
            source=POLL,
            external_id=_external_id(header),
            topic=fleet.partners[partner].connection.read_topics[kind],
            kind=kind,
            entity=header.external_id,
            correlation_id=correlation_id(partner, kind, header.external_id),
            body=texts[header.external_id].encode(),
        )
        for header in headers
        if header.external_id in texts
    ]
    with fleet.session() as session:
        lines.enqueue(session, lane.id, [message.line for message in messages])
        inbox.add(session, messages)
    if messages:
        fleet.waker.notify([lane.name])
    return len(messages)


def _external_id(header: Header) -> str:
    return f"{header.external_id}@{header.updated_at.isoformat()}"


def _chunks(headers: list[Header], size: int = 25) -> list[list[Header]]:
    return [headers[start : start + size] for start in range(0, len(headers), size)]
