"""Who we exchange with, and how hard we may lean on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePolicy:
    """How one partner's outbound lane works; times in seconds unless the name says otherwise."""

    slots: int = 2
    """Batches under way at a time, fleet-wide."""
    batch: int = 50
    """Entities per claim."""
    gather_ms: int = 300
    """Distance between claims while less than a full batch is ready."""
    work_budget: float = 20.0
    call_deadline: float = 20.0
    settle: float = 30.0
    """How long after the call deadline a lost call may still land."""
    recheck: float = 5.0
    """Between the two look-ups that must both find nothing."""
    max_attempts: int = 12
    backoff_first: float = 1.0
    backoff_limit: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """How a partner is swept for what its webhooks lost; seconds."""

    every: float = 60.0
    overlap: float = 300.0
    horizon: float = 86400.0
    """How far back the first sweep reaches."""
    track: float = 3600.0
    """How often a parcel of its is asked after, while it is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """How many calls (or points) a partner allows us, all workers together.

    A first guess where its answers correct it.
    """

    burst: float
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPolicy:
    """One partner: `config/partners/<name>.toml`, secrets already resolved.

    `connection` holds the connector's own settings (addresses, ids, secrets), validated by it.
    """

    name: str
    connector: str
    role: str
    """`store`, `erp` or `warehouse`."""
    brand: str
    connection: Mapping[str, Any] = field(repr=False)
    budget: BudgetPolicy = BudgetPolicy(burst=60.0, per_second=20.0)
    lane: LanePolicy = LanePolicy()
    poll: PollPolicy | None = None
