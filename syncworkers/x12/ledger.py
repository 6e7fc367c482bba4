"""What a control-number ledger keeps of the sets we send, and what is asked of it.

Numbers are taken in the transaction that freezes a file, so a frozen file may be sent any number of
times: its receiver knows it by its number. Source of the rules: X12 004010 ISA13, GS06, ST02.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from syncworkers.x12.segments import Segment

REJECTED = "rejected"
Effect = tuple[str, str]
"""A reference of ours, and the operation on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Between whom numbers count: the partner's name, ISA05 to ISA08, and ISA15."""

    partner: str
    sender: str
    receiver: str
    usage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A set to send: what stands between its ST and its SE.

    `reference` is ours and permanent, of what the set is about; `operation` is what it does to it.
    """

    code: str
    operation: str
    reference: str
    segments: tuple[Segment, ...]

    @property
    def effect(self) -> Effect:
        """Return what is done to what: the newest set about it counts."""
        return self.reference, self.operation

    @property
    def digest(self) -> str:
        """Return what tells whether another set says the same."""
        told = "\n".join("\x1f".join((one.tag, *one.elements)) for one in self.segments)
        return hashlib.sha256(f"{self.code}\n{told}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A set in the file that was made of it; `number` is ISA13 and GS06, `place` is ST02.

    `answer` is what the partner has said since of the object itself: `shipped`, `partial` or
    `cancelled`, None so far. `waiting` counts the seconds since it was uploaded.
    """

    file: int
    name: str
    number: int
    place: int
    reference: str
    operation: str
    digest: str
    uploaded: bool
    state: str
    detail: str | None
    answer: str | None = None
    waiting: float = 0.0
    body: bytes = field(repr=False)


def stands(found: Frozen | None, wanted: Document) -> bool:
    """Say whether the newest set of an effect says what is wanted, and was not refused."""
    return found is not None and found.digest == wanted.digest and found.state != REJECTED


class Ledger(Protocol):
    """The ledger of one partner."""

    def latest(self, references: Collection[str]) -> Mapping[Effect, Frozen]:
        """Return by effect the newest set that has it."""
        ...

    def restored_at(self) -> dt.datetime | None:
        """Return when it last went back in time: what was sent before may be missing; or None."""
        ...

    def freeze(
        self,
        route: Route,
        functional_id: str,
        documents: Sequence[Document],
        write: Callable[[int, Sequence[Document]], tuple[str, bytes]],
    ) -> None:
        """Keep one file of those sets that do not stand yet, under the next number.

        `write` is given the number and the sets, and returns the file's name and bytes. What it
        raises leaves the ledger as it was, the number included.
        """
        ...

    def uploaded(self, files: Collection[int]) -> None:
        """Note that files lie where the partner fetches them."""
        ...
