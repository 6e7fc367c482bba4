"""What came out of reading a file: what can be taken, what is refused, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.findings import Finding
from syncworkers.x12.rules import Level
from syncworkers.x12.segments import Envelope, Segment, TransactionSet

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRead:
    """One set of a group, taken or refused."""

    code: str
    """ST01."""
    control_number: str
    """ST02."""
    place: int
    """The number of its ST in the file, from 1."""
    transaction_set: TransactionSet | None
    """None when the set is refused, or let go of once it was stored."""
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        """Tell whether a finding is an error."""
        return any(one.level is Level.ERROR for one in self.findings)

    def accepted(self) -> TransactionSet:
        """Return the set; raise X12Error with its first error when it is refused."""
        for one in self.findings:
            if one.level is Level.ERROR:
                raise one.error()
        if self.transaction_set is None:
            raise X12Error("x12.gone", "the content of the set was let go of", segment=self.place)
        return self.transaction_set


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One functional group; `sets` is empty where sets are read one by one."""

    envelope: Envelope
    declared: str
    """GE01, the number of sets as the sender counts them."""
    counted: int
    """The number of sets there are."""
    sets: tuple[SetRead, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Of the group itself, not of its sets."""

    @property
    def refused(self) -> bool:
        """Tell whether the whole group is, with all its sets."""
        return any(one.level is Level.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """One ISA to IEA; `groups` is empty where sets are read one by one."""

    envelope: Envelope
    delimiters: Delimiters
    counted: int
    """The number of groups there are."""
    groups: tuple[Group, ...] = ()
    acknowledgements: tuple[Segment, ...] = ()
    """The TA1 segments in it."""
    findings: tuple[Finding, ...] = ()
    """Of the interchange itself, not of its groups."""

    @property
    def refused(self) -> bool:
        """Tell whether the whole interchange is, with all its groups."""
        return any(one.level is Level.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """All that a file holds."""

    interchanges: tuple[Interchange, ...]
    outside: tuple[Finding, ...] = ()
    """About text between interchanges."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the file and everything in it, in the file's order."""
        found = list(self.outside)
        for interchange in self.interchanges:
            found += interchange.findings
            for group in interchange.groups:
                found += group.findings
                found += (finding for one in group.sets for finding in one.findings)
        return tuple(sorted(found, key=lambda one: one.segment))

    def accepted(self) -> Iterator[TransactionSet]:
        """Yield the sets that may be taken: of nothing refused, and not refused themselves."""
        for interchange in self.interchanges:
            for group in () if interchange.refused else interchange.groups:
                for one in () if group.refused else group.sets:
                    if one.transaction_set is not None:
                        yield one.transaction_set
