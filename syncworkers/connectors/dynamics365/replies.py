"""Read the replies of a batch: lists, ETags, refusals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365.answers import Refusal, read_refusal, refuse
from syncworkers.connectors.http import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.dynamics365.batch import GroupReply, Reply

Rows = list[dict[str, Any]]

LOST = "the answer has no part for this"


def refusal_of(reply: Reply, *, change_of_key: bool = False) -> Refusal:
    """Classify a reply inside a batch."""
    after = parse_retry_after(reply.headers.get("retry-after", ""), time.time())
    return read_refusal(reply.status, reply.body, change_of_key=change_of_key, after=after)


def done_or_not(change: GroupReply, *, change_of_key: bool) -> list[Reply] | Outcome | Refusal:
    """Return the replies of a change set that happened, or what became of it instead."""
    if change.failure is not None:
        return refusal_of(change.failure, change_of_key=change_of_key)
    done = [reply for reply in change.replies if reply is not None and 200 <= reply.status < 300]
    if len(done) < len(change.replies):
        return Outcome(verdict=Verdict.UNKNOWN, error=LOST)
    return done


def seen_or_not(answers: Sequence[GroupReply]) -> list[Rows] | Outcome:
    """Return the rows that each read of a look found, or the outcome of a look that failed."""
    found: list[Rows] = []
    for answer in answers:
        reply = answer.replies[0]
        if reply is None:
            return Outcome(verdict=Verdict.RETRY, error=LOST)
        if reply.status != 200:
            return refuse(refusal_of(reply), is_read=True)
        listed = rows_of(reply.fields())
        # A list that goes on elsewhere is not known whole, and must not be taken for it.
        if listed is None or onward_of(reply.fields()):
            return Outcome(verdict=Verdict.RETRY, error="the look-up's answer cannot be read")
        found.append(listed)
    return found


def rows_of(fields: Mapping[str, Any] | None) -> Rows | None:
    """Return the entities of a list; None if it is none."""
    listed = (fields or {}).get("value")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None
    return listed


def onward_of(fields: Mapping[str, Any] | None) -> str | None:
    """Return where a list goes on; None at its end."""
    link = (fields or {}).get("@odata.nextLink")
    return None if link is None else str(link)


def etag_of(reply: Reply | None, fields: Mapping[str, Any] | None) -> str | None:
    """Return the version of an entity, as its body or else its header tells it."""
    inside = (fields or {}).get("@odata.etag")
    outside = reply.headers.get("etag") if reply is not None and reply.status < 300 else None
    return str(inside or outside) if inside or outside else None
