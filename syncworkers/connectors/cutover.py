"""What a cutover asks of a connector beside its work: checks, what others made there, new tokens.

All of it is optional: who does not offer it is checked by `Checks`, and compared by look-ups alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was looked at: what was seen, and what to do where it is not as it must be."""

    name: str
    ok: bool
    saw: str
    remedy: str = ""


@runtime_checkable
class Inspects(Protocol):
    """A connector that checks itself thing by thing, as `partners check` shows it."""

    @property
    def api_version(self) -> str:
        """The version of the partner's interface that is spoken, as the partner writes it."""
        ...

    def inspect(self) -> list[CheckResult]:
        """Look at reachability, credentials, clock, rights, version, one harmless read, and more.

        Changes nothing, and never raises an error of the partner: it is one of the results.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One object that stands at a partner, whoever made it.

    `kind` is ours (`order`, `part`, `shipment`); `reference` is what it has in the place of our
    reference, `names` what else tells people what it is: the store's order number, a parcel's.
    """

    kind: str
    external_id: str
    reference: str
    names: tuple[str, ...] = ()
    cancelled: bool = False


@runtime_checkable
class Observes(Protocol):
    """A connector that lists what others, too, have made at its partner."""

    def standing(self, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
        """Yield pages of what was made there in a window; raises the errors of `base.Pulls`."""
        ...


@runtime_checkable
class Renews(Protocol):
    """A connector whose access tokens expire, and are fetched anew."""

    def expire_token(self) -> bool:
        """Put a token that the partner refuses in the place of the shared one, to be renewed.

        Returns False where there is none to expire. Raises the errors of `Pulls`.
        """
        ...
