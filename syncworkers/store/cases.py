"""Working with exception cases: announcing, listing, and trying their rows again."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from syncworkers.store.attention import CaseGroup, ExceptionCase
from syncworkers.store.inbox import Message
from syncworkers.store.outbox import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

_NUMBERS = re.compile(r"\[\d+\]|\d+")


def unannounced(session: Session, limit: int = 100) -> list[ExceptionCase]:
    """Lock cases that nobody was told of yet."""
    return list(
        session.scalars(
            sa.select(ExceptionCase)
            .where(ExceptionCase.announced_at.is_(None))
            .order_by(ExceptionCase.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def announce(session: Session, case: ExceptionCase) -> CaseGroup:
    """Put a case into the group of its cause and mark it announced."""
    now = sa.func.now()
    statement = insert(CaseGroup).values(
        fingerprint=fingerprint(case),
        partner=case.partner,
        code=case.code,
        title=f"{case.partner}: {case.code}",
        cases=1,
        first_seen=now,
        last_seen=now,
    )
    group = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_={"cases": CaseGroup.cases + 1, "last_seen": now},
        ).returning(CaseGroup)
    ).one()
    case.group_id = group.id
    case.announced_at = session.execute(sa.select(now)).scalar_one()
    return group


def fingerprint(case: ExceptionCase) -> str:
    """Identify the cause: partner, code and path, never an id or a number."""
    paths = sorted({_NUMBERS.sub("", violation["path"]) for violation in case.violations})
    text = "\x1f".join([case.partner, case.about, case.code, *paths])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def find(
    session: Session, *, state: str | None, partner: str | None, code: str | None, limit: int
) -> Sequence[ExceptionCase]:
    """List cases, the newest first."""
    query = sa.select(ExceptionCase).order_by(ExceptionCase.id.desc()).limit(limit)
    if state is not None:
        query = query.where(ExceptionCase.state == state)
    if partner is not None:
        query = query.where(ExceptionCase.partner == partner)
    if code is not None:
        query = query.where(ExceptionCase.code == code)
    return session.scalars(query).all()


def lock(session: Session, case: int) -> ExceptionCase | None:
    """Lock one case."""
    return session.get(ExceptionCase, case, with_for_update=True)


def row_of(session: Session, case: ExceptionCase) -> Message | Delivery | None:
    """Read the row a case is about; None for a case about no row of work."""
    match case.about:
        case "message":
            return session.get(Message, case.about_id)
        case "delivery":
            return session.get(Delivery, case.about_id)
        case _:
            return None


def reopen(session: Session, row: Message | Delivery) -> None:
    """Open an ended row again; what was unknown about it stays so, and is looked up first."""
    row.state = "open"
    row.reason = None
    row.finished_at = None
    row.retries += 1
    session.flush()


def blocked_by(session: Session, case: int) -> list[tuple[int, int]]:
    """Return the (lane, key) of lines that a case blocks."""
    rows = session.execute(
        sa.text("SELECT lane, key FROM line WHERE blocked_by = :case ORDER BY lane, key"),
        {"case": case},
    )
    return [(row.lane, row.key) for row in rows]
