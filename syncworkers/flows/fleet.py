"""The one value a flow needs: database, policy, partners, lanes and wake-ups."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import sqlalchemy as sa

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.engine.wakeups import Waker
    from syncworkers.policy.partners import PartnerPolicy
    from syncworkers.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A live partner: its policy, its connection, and the mappings of its connector.

    `connection` offers some of the protocols of `connectors.base`; `reads` maps a message topic to
    the mapping that understands it, `writes` an operation to the one that speaks it.
    """

    policy: PartnerPolicy
    connection: Any = field(repr=False)
    reads: Mapping[str, Any]
    writes: Mapping[str, Callable[[Any], dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What bootstrap composes; flows take it as their first argument."""

    worker: str
    """Who we are, in leases and attempts."""
    database: sa.Engine = field(repr=False)
    policy: Policy
    partners: Mapping[str, Partner]
    lanes: Mapping[str, LaneHandle]
    waker: Waker

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on an error."""
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            yield session
