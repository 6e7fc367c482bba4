"""Poll a partner for what its webhooks lost: only what we have not got is fetched and stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import Record
from syncworkers.errors import CredentialsError, RejectedError, RetryableError
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import OPEN_CASES
from syncworkers.flows.storing import Channel, external_id, store
from syncworkers.store import attention, inbox, invoices, orders, parts
from syncworkers.store import fleet as fleet_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy.orm import Session

    from syncworkers.connectors.base import Header
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

POLL = "poll"
REFUSED = "poll.refused"
KNOWN: Mapping[str, Callable[[Session, str, Collection[str]], Mapping[str, dt.datetime]]] = {
    Kind.ORDER: orders.newest_known,
    Kind.SHIPMENT: parts.newest_known,
    Kind.INVOICE: invoices.newest_known,
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
    except RejectedError as error:
        _announce(fleet, partner, kind, error)
        return 0
    with fleet.session() as session:
        fleet_state.move(session, partner, kind, safe)
        attention.resolve_by_progress(session, f"{partner} {kind}", REFUSED)
    return stored


def _announce(fleet: Fleet, partner: str, kind: str, error: RejectedError) -> None:
    """Open a case, once: until it is mended, what webhooks lose stays lost."""
    case = attention.NewCase(
        about="poll",
        about_id=0,
        partner=partner,
        entity_kind=kind,
        entity=f"{partner} {kind}",
        code=REFUSED,
        error=f"{partner} refuses to say what changed: {error}",
        violations=tuple(asdict(violation) for violation in error.violations),
        payload=None,
        correlation_id=correlation_id(partner, kind, POLL),
    )
    with fleet.session() as session:
        opened = attention.open_once(session, case)
    if opened:
        fleet.waker.notify([OPEN_CASES])


def _read_window(
    fleet: Fleet, partner: str, kind: str, since: dt.datetime, until: dt.datetime
) -> tuple[int, dt.datetime]:
    """Store what is new in the window; return how many, and up to when all is settled."""
    connection = fleet.partners[partner].connection
    channel = Channel(partner=partner, source=POLL, kind=kind, topic=connection.read_topics[kind])
    stored = 0
    safe = until
    for page in connection.changed(kind, since, until):
        with fleet.session() as session:
            missing, busy = _missing(session, partner, kind, page)
        safe = min([safe, *(header.updated_at for header in busy)])
        for some in _chunks(missing):
            stored += store(fleet, channel, _whole(connection, kind, some))
    return stored, safe


def _missing(
    session: Session, partner: str, kind: str, page: list[Header]
) -> tuple[list[Header], list[Header]]:
    """Sort out what we lack, and what is under way just now and may or may not be newer."""
    ids = [header.external_id for header in page]
    have = KNOWN[kind](session, partner, ids)
    others = inbox.settled_or_under_way(session, partner, kind, ids)
    stored = inbox.known(
        session,
        partner,
        POLL,
        [external_id(header.external_id, header.updated_at) for header in page],
    )
    missing: list[Header] = []
    busy: list[Header] = []
    for header in page:
        newest = have.get(header.external_id)
        is_open, refused = others.get(header.external_id, (False, None))
        if external_id(header.external_id, header.updated_at) in stored or (
            newest and newest >= header.updated_at
        ):
            continue
        if is_open:
            busy.append(header)
        elif refused is None or refused < header.updated_at:
            missing.append(header)
    return missing, busy


def _whole(connection: Any, kind: str, headers: list[Header]) -> list[Record]:
    """Return the objects as they are; those that the list did not tell are read."""
    lacking = [one.external_id for one in headers if one.body is None]
    read = connection.fetch(kind, lacking) if lacking else []
    texts = {record.external_id: record.body for record in read}
    return [
        Record(
            external_id=one.external_id,
            body=texts[one.external_id] if one.body is None else one.body,
            updated_at=one.updated_at,
        )
        for one in headers
        if one.body is not None or one.external_id in texts
    ]


def _chunks(headers: list[Header], size: int = 25) -> list[list[Header]]:
    return [headers[start : start + size] for start in range(0, len(headers), size)]
