"""Receive a webhook: proof first, then one committed insert; the answer says what happened."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import ProofError, Receipt
from syncworkers.engine import lines
from syncworkers.engine.keys import line_key
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import PROCESS
from syncworkers.store import inbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.base import Received
    from syncworkers.flows.fleet import Fleet, Partner

log = structlog.get_logger(__name__)

WEBHOOK = "webhook"
NAME_LIMIT = 200
"""Characters of a name that is kept as it came; of a longer one the rest becomes a digest."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnknownPartnerError(Exception):
    """No partner of that name receives anything."""


def receive_webhook(
    fleet: Fleet, partner: str, headers: Mapping[str, str], body: bytes, path: str = ""
) -> Receipt:
    """Store what a partner sent; the receipt is true only after the commit.

    Header names arrive in lower case; `path` is what followed the partner's name in the address.
    Raises `UnknownPartnerError`.
    """
    known = fleet.partners.get(partner)
    if known is None or not hasattr(known.connection, "receive"):
        raise UnknownPartnerError(partner)
    try:
        received = known.connection.receive(headers, body, path)
    except ProofError as error:
        log.warning("webhook refused", partner=partner, reason=str(error))
        return Receipt.FORGED
    message = _message(fleet, known, received, body)
    try:
        stored = _store(fleet, message)
    except sa.exc.DBAPIError as error:
        log.exception("webhook not stored", partner=partner, error=type(error).__name__)
        return Receipt.UNAVAILABLE
    except sa.exc.TimeoutError:
        return Receipt.UNAVAILABLE
    if not stored:
        return Receipt.DUPLICATE
    if message.waiting_for is None:
        fleet.waker.notify([_lane(message.kind)])
    return Receipt.ACCEPTED


def _message(fleet: Fleet, partner: Partner, received: Received, body: bytes) -> inbox.NewMessage:
    name = partner.policy.name
    topic, entity = _name(received.topic), _name(received.entity)
    handled = topic in partner.connection.handled
    return inbox.NewMessage(
        lane=fleet.lanes[_lane(received.kind)].id,
        line=line_key(name, received.kind, entity),
        partner=name,
        source=WEBHOOK,
        external_id=_name(received.external_id),
        topic=topic,
        kind=received.kind,
        entity=entity,
        event_id=None if received.event_id is None else _name(received.event_id),
        contract=None if received.contract is None else _name(received.contract),
        correlation_id=correlation_id(name, received.kind, entity),
        body=body,
        waiting_for=None if handled else f"topic:{topic}",
    )


def _lane(kind: str) -> str:
    """Name the lane of a kind; what has no lane of its own waits with the orders."""
    return PROCESS.get(kind, PROCESS[Kind.ORDER])


def _name(text: str) -> str:
    """Make a name from outside one that every column and index takes, and that stays unique."""
    storable = _UNSTORABLE.sub("\ufffd", text)
    if storable == text and len(text) <= NAME_LIMIT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{storable[:NAME_LIMIT]}#{digest}"


def _store(fleet: Fleet, message: inbox.NewMessage) -> bool:
    """Store once; False if it is there already, which is counted."""
    identity = (message.partner, message.source, message.external_id)
    with fleet.session() as session:
        if inbox.known(session, *identity[:2], [message.external_id]):
            inbox.count_duplicate(session, *identity)
            return False
    try:
        with fleet.session() as session:
            if message.waiting_for is None:
                lines.enqueue(session, message.lane, [message.line])
            inbox.add(session, [message])
    except IntegrityError:
        # The same message came in at the same moment by another request.
        with fleet.session() as session:
            inbox.count_duplicate(session, *identity)
        return False
    return True
