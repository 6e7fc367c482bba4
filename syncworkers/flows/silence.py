"""What partners that exchange numbered files owe us: acknowledgements, and numbers left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.files import Collects
from syncworkers.flows.correlation import correlation_id
from syncworkers.store import attention, edi_files, interchanges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from syncworkers.flows.fleet import Fleet

UNACKNOWLEDGED = "edi.unacknowledged"
GAP = "edi.gap"
GAP_PATIENCE = 3600.0
"""Seconds that a file may come later than the one behind it."""
NAMED = 10
"""Orders that a case names; the file has them all."""


def watch_files(fleet: Fleet) -> int:
    """Open a case for each file without its 997 and each number that never came; return how many.

    A case closes by itself as soon as what was missing is there.
    """
    opened = 0
    for name, partner in fleet.partners.items():
        if isinstance(partner.connection, Collects):
            within = partner.connection.acknowledged_within
            with fleet.session() as session:
                opened += _note(session, name, UNACKNOWLEDGED, dict(_late(session, name, within)))
                opened += _note(session, name, GAP, dict(_gaps(session, name)))
    return opened


def _late(session: Session, partner: str, within: float) -> Iterator[tuple[str, str]]:
    for one in edi_files.overdue(session, partner, within):
        about = ", ".join(one.references[:NAMED])
        more = f" and {len(one.references) - NAMED} more" if len(one.references) > NAMED else ""
        when = f"{one.uploaded_at:%Y-%m-%d %H:%M} UTC"
        told = f"{partner} has not acknowledged {one.name}, uploaded at {when}, with {about}{more}"
        yield one.name, f"{told}: ask whether it was read"


def _gaps(session: Session, partner: str) -> Iterator[tuple[str, str]]:
    for one in interchanges.gaps(session, partner, GAP_PATIENCE):
        numbers = f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}"
        told = f"interchange {numbers} from {one.sender} to {one.receiver} never came"
        error = f"{told}, and later ones did: ask {partner} to send it again"
        yield f"{one.sender} {numbers}", error


def _note(session: Session, partner: str, code: str, missing: dict[str, str]) -> int:
    attention.resolve_others(session, partner, code, missing.keys())
    cases = [
        attention.NewCase(
            about="poll",
            about_id=0,
            partner=partner,
            entity_kind=Kind.FILE,
            entity=entity,
            code=code,
            error=error,
            violations=(),
            payload=None,
            correlation_id=correlation_id(partner, Kind.FILE, entity),
        )
        for entity, error in missing.items()
    ]
    return sum(attention.open_once(session, case) for case in cases)
