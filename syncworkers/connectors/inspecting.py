"""What inspections of all partners share: the first call, the clock, the version's end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from syncworkers.connectors.cutover import CheckResult
from syncworkers.errors import CredentialsError, RejectedError, SyncError

CLOCK_LIMIT = 30.0
"""Seconds; signatures with a time are refused beyond some minutes."""
WARN_BEFORE = dt.timedelta(days=90)
RIGHTS = "rights"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEnd:
    """The last day of a version, None where none is announced, and who says so."""

    last: dt.date | None
    source: str


def first_call(call: Callable[[], T], where: str) -> tuple[list[CheckResult], T | None]:
    """Make the first call: it shows whether the partner is there, and takes our credentials.

    A refusal that is neither says that both are right; what it refuses is for the caller to see.
    """
    reached = CheckResult(name="reachability", ok=True, saw=f"{where} answers")
    accepted = CheckResult(name="credentials", ok=True, saw="accepted")
    try:
        return [reached, accepted], call()
    except CredentialsError as error:
        remedy = "correct the credentials that the partner file names, or grant them anew there"
        refused = CheckResult(name="credentials", ok=False, saw=str(error), remedy=remedy)
        return [reached, refused], None
    except RejectedError as error:
        remedy = "see what it refuses: a right, or a setting under [connection]"
        return [
            reached,
            accepted,
            CheckResult(name="read", ok=False, saw=str(error), remedy=remedy),
        ], None
    except SyncError as error:
        remedy = "is [connection] url right, and may this machine reach it? Else ask the partner"
        away = CheckResult(name="reachability", ok=False, saw=str(error), remedy=remedy)
        return [away], None


def clock(ahead: float | None) -> CheckResult:
    """Judge by how many seconds the partner's clock is ahead of ours."""
    if ahead is None:
        return CheckResult(name="clock", ok=True, saw="the partner does not show its clock")
    well = abs(ahead) < CLOCK_LIMIT
    return CheckResult(
        name="clock",
        ok=well,
        saw=f"{abs(ahead):.0f} s between this machine and the partner",
        remedy="" if well else "mend NTP on this machine: signatures and tokens depend on the time",
    )


def version(spoken: str, ends: Mapping[str, VersionEnd], today: dt.date) -> CheckResult:
    """Judge how long the version that we speak will live."""
    known = ends.get(spoken)
    if known is None:
        return CheckResult(
            name="api version",
            ok=False,
            saw=f"{spoken} is not in our table of versions",
            remedy=f"speak one of {', '.join(sorted(ends))}, or add it with its end",
        )
    if known.last is None:
        return CheckResult(name="api version", ok=True, saw=f"{spoken}: {known.source}")
    left = (known.last - today).days
    ended = "ended" if left < 0 else "ends"
    well = left >= WARN_BEFORE.days
    return CheckResult(
        name="api version",
        ok=well,
        saw=f"{spoken} {ended} on {known.last} ({known.source})",
        remedy="" if well else "move [connection] api_version to a later one, and certify it first",
    )


def complaints(name: str, found: Iterable[str], *, well: str, remedy: str) -> CheckResult:
    """Make one result of complaints, each of which names its own remedy."""
    told = list(found)
    if not told:
        return CheckResult(name=name, ok=True, saw=well)
    return CheckResult(name=name, ok=False, saw="; ".join(told), remedy=remedy)


def reading(read: Callable[[], str]) -> CheckResult:
    """Make one harmless read; it returns what it saw."""
    try:
        return CheckResult(name="read", ok=True, saw=read())
    except SyncError as error:
        remedy = "see the rights of our app or user there"
        return CheckResult(name="read", ok=False, saw=str(error), remedy=remedy)
