"""Receive a webhook: proof first, then one committed insert; the answer says what happened.

Webhooks that arrive at the same moment are stored in one transaction: a commit costs as much as the
rest of it.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from syncworkers.connectors.base import ProofError, Receipt
from syncworkers.engine.gathering import Gathering
from syncworkers.engine.keys import line_key
from syncworkers.engine.lines import ANNOUNCE
from syncworkers.errors import RetryableError
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import process_lane
from syncworkers.store import inbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Received
    from syncworkers.flows.fleet import Fleet, Partner

log = structlog.get_logger(__name__)

WEBHOOK = "webhook"
NAME_LIMIT = 200
"""Characters of a name that is kept as it came; of a longer one the rest becomes a digest."""
TURN_WITHIN = 0.8
"""Seconds until a webhook's turn to be stored; the answer must be there within three."""
STORED_WITHIN = 2.2
AWAY = frozenset({"08", "53", "57"})
"""Classes of SQLSTATE that say nothing of what we store: connection, resources, operator."""
BRIEFLY = 100
"""Milliseconds for a lock: one line that is held must not keep the others waiting."""
PATIENTLY = 1000
"""Milliseconds for a lock, for a message that is stored alone."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnknownPartnerError(Exception):
    """No partner of that name receives anything."""


class Door:
    """Where the webhooks of one process come in."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._storing: Gathering[inbox.NewMessage, bool] = Gathering(
            partial(_store_together, fleet)
        )

    def receive(
        self, partner: str, headers: Mapping[str, str], body: bytes, path: str = ""
    ) -> Receipt:
        """Store what a partner sent; the receipt is true only after the commit.

        Header names arrive in lower case; `path` is what followed the partner's name in the
        address. Raises `UnknownPartnerError`.
        """
        known = self._fleet.partners.get(partner)
        if known is None or not hasattr(known.connection, "receive"):
            raise UnknownPartnerError(partner)
        try:
            received = known.connection.receive(headers, body, path)
        except ProofError as error:
            log.warning("webhook refused", partner=partner, reason=str(error))
            return Receipt.FORGED
        except RetryableError as error:
            log.warning("webhook not checked", partner=partner, reason=str(error))
            return Receipt.UNAVAILABLE
        message = _message(self._fleet, known, received, body)
        try:
            is_new = self._store(message)
        except sa.exc.DBAPIError as error:
            log.exception("webhook not stored", partner=partner, error=type(error).__name__)
            return Receipt.UNAVAILABLE
        except (sa.exc.TimeoutError, TimeoutError):
            return Receipt.UNAVAILABLE
        return Receipt.ACCEPTED if is_new else Receipt.DUPLICATE

    def _store(self, message: inbox.NewMessage) -> bool:
        """Store once; False if it is there already, which is counted."""
        stored = self._storing.do(message, patience=TURN_WITHIN, limit=STORED_WITHIN)
        return stored or _store_alone(self._fleet, message)


def _message(fleet: Fleet, partner: Partner, received: Received, body: bytes) -> inbox.NewMessage:
    name = partner.policy.name
    topic, entity = _name(received.topic), _name(received.entity)
    handled = topic in partner.connection.handled
    return inbox.NewMessage(
        lane=fleet.lanes[process_lane(received.kind)].id,
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


def _name(text: str) -> str:
    """Make a name from outside one that every column and index takes, and that stays unique."""
    storable = _UNSTORABLE.sub("\ufffd", text)
    if storable == text and len(text) <= NAME_LIMIT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{storable[:NAME_LIMIT]}#{digest}"


def _store_together(fleet: Fleet, messages: list[inbox.NewMessage]) -> list[bool]:
    """Store those that are new; False says of one that it must be looked at alone.

    Where one of them is in the way of the others, each goes alone; where the database is away, it
    is away for all.
    """
    try:
        stored = _store(fleet, messages, patience=BRIEFLY)
    except sa.exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state is None or state[:2] in AWAY:
            raise
        return [False] * len(messages)
    return [_take(stored, inbox.identity(message)) for message in messages]


def _take(stored: set[inbox.Identity], one: inbox.Identity) -> bool:
    """Say of the first that asks whether it was stored."""
    is_there = one in stored
    stored.discard(one)
    return is_there


def _store_alone(fleet: Fleet, message: inbox.NewMessage) -> bool:
    # The same message may come in at the same moment by another request.
    with suppress(IntegrityError):
        if _store(fleet, [message], patience=PATIENTLY):
            return True
    with fleet.session() as session:
        inbox.count_duplicate(session, *inbox.identity(message))
    return False


def _store(
    fleet: Fleet, messages: Sequence[inbox.NewMessage], *, patience: int
) -> set[inbox.Identity]:
    with fleet.session() as session:
        stored = inbox.store(session, messages, announce=ANNOUNCE, patience=patience)
    lanes = {
        process_lane(one.kind)
        for one in messages
        if one.waiting_for is None and inbox.identity(one) in stored
    }
    if lanes:
        fleet.waker.notify(sorted(lanes))
    return stored
