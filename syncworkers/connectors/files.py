"""What a connector offers whose partner leaves files for us."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from syncworkers.connectors.base import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file that lies at a partner, as one listing shows it.

    `size` is in bytes, `modified` in Unix seconds; None where the partner does not say.
    """

    name: str
    size: int | None
    modified: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A file that was taken from a partner; `digest` is the SHA-256 of its bytes, in hex.

    `modified` is in Unix seconds, None where the partner does not say.
    """

    name: str
    digest: str
    body: bytes = field(repr=False)
    modified: int | None = None


@runtime_checkable
class Collects(Protocol):
    """A connector whose partner leaves files for us. Errors leave as those of `Pulls`."""

    acknowledged_within: float
    """Seconds in which what we send must be acknowledged."""

    def collect(
        self,
        unchanged: Mapping[Seen, float],
        keep: Callable[[Collected], bool],
        unable: Callable[[str, str], None],
        deadline: Deadline,
    ) -> list[Seen]:
        """Hand each whole file to `keep`, which stores it; return what was not taken.

        `unchanged` says for how many seconds what was seen before has looked as it does. False from
        `keep` leaves a file whose end is missing; `unable` hears why one cannot be taken.
        """
        ...

    def restore(self, since: dt.datetime, until: dt.datetime, deadline: Deadline) -> int:
        """Lay files taken in that time back, to be taken anew; return how many. Repeatable."""
        ...
