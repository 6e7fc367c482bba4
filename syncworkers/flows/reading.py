"""Read claimed messages: bytes become canonical objects, or a verdict that says why not.

No transaction is open here, because some messages only hint at something that must be read again at
the partner before anybody acts on it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.errors import (
    CredentialsError,
    RejectedError,
    RetryableError,
    SyncError,
    Violation,
    WaitingError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Fleet, Partner

POISON_CRASHES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One message as understood: a canonical object, or the verdict in its way."""

    row: Mapping[str, Any]
    received: bytes
    subject: Any = None
    error: SyncError | None = None
    mapping: str = ""
    drift: tuple[str, ...] = ()
    reread: bytes | None = None

    @property
    def partner(self) -> str:
        """Return who sent it."""
        name: str = self.row["partner"]
        return name


def read(
    fleet: Fleet, claimed: Sequence[ClaimedLine], bodies: Mapping[int, bytes]
) -> dict[int, list[Reading]]:
    """Read the rows of all lines; return them by line key, in order."""
    rows = [row for line in claimed for row in line.rows]
    again = _reread(fleet, rows)
    readings: dict[int, list[Reading]] = {}
    for line in claimed:
        readings[line.key] = [_read_row(fleet, line, row, bodies, again) for row in line.rows]
    return readings


def _read_row(
    fleet: Fleet,
    line: ClaimedLine,
    row: Mapping[str, Any],
    bodies: Mapping[int, bytes],
    again: Mapping[int, bytes | SyncError],
) -> Reading:
    received = bodies[row["id"]]
    partner = fleet.partners[row["partner"]]
    topic, body = row["topic"], received
    if row["id"] in again:
        found = again[row["id"]]
        if isinstance(found, SyncError):
            return Reading(row=row, received=received, error=found)
        topic, body = partner.connection.read_topics[row["kind"]], found
    mapping = partner.reads.get(topic)
    reread = body if row["id"] in again else None
    if line.crashes >= POISON_CRASHES:
        return Reading(row=row, received=received, error=_poison())
    if mapping is None:
        wait = WaitingError(f"nobody reads {topic} yet", key=f"topic:{topic}")
        return Reading(row=row, received=received, error=wait)
    try:
        subject, drift = mapping.load(body)
    except RejectedError as error:
        return Reading(row=row, received=received, error=error, mapping=mapping.name, reread=reread)
    return Reading(
        row=row,
        received=received,
        subject=subject,
        mapping=mapping.name,
        drift=drift,
        reread=reread,
    )


def _poison() -> RejectedError:
    return RejectedError(
        "workers died again and again while they read this",
        violations=[
            Violation(
                path="",
                code="worker.crashed",
                message="read the workers' logs of these times, mend the cause, then retry",
            )
        ],
    )


def _reread(fleet: Fleet, rows: Sequence[Mapping[str, Any]]) -> dict[int, bytes | SyncError]:
    """Read again, in one call per partner and kind, what messages only hint at."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["topic"] in getattr(fleet.partners[row["partner"]].connection, "reread", ()):
            groups[row["partner"], row["kind"]].append(row)
    found: dict[int, bytes | SyncError] = {}
    for (name, kind), hints in groups.items():
        found.update(_reread_at(fleet.partners[name], kind, hints))
    return found


def _reread_at(
    partner: Partner, kind: str, hints: Sequence[Mapping[str, Any]]
) -> dict[int, bytes | SyncError]:
    try:
        records = partner.connection.fetch(kind, sorted({row["entity"] for row in hints}))
    except CredentialsError as error:
        late = RetryableError(str(error), after=60.0, throttled=True)
        return {row["id"]: late for row in hints}
    except RejectedError as error:
        if len(hints) == 1:
            return {hints[0]["id"]: error}
        half = len(hints) // 2  # one that cannot be read must not take the others along
        return {
            **_reread_at(partner, kind, hints[:half]),
            **_reread_at(partner, kind, hints[half:]),
        }
    except SyncError as error:
        return {row["id"]: error for row in hints}
    texts = {record.external_id: record.body.encode() for record in records}
    return {row["id"]: texts.get(row["entity"], _absent(row)) for row in hints}


def _absent(row: Mapping[str, Any]) -> RejectedError:
    return RejectedError(
        f"{row['partner']} has no {row['kind']} {row['entity']}",
        violations=[
            Violation(
                path="id",
                code="reread.absent",
                message=f"{row['topic']} is acted upon only after reading the object again at "
                "the partner; check whether it was deleted there or the message was forged",
            )
        ],
    )
