"""Errors are verdicts: what went wrong says what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One reason to refuse something: where, which code, and what to do about it.

    `path` is dotted with list positions, as in `line_items[0].sku`; empty means the whole object.
    `code` is stable and belongs to the cause catalogue, as in `item.unmapped`.
    """

    path: str
    code: str
    message: str


class SyncError(Exception):
    """The base of all verdicts."""


class RetryableError(SyncError):
    """Nothing happened at the partner; the same work may be done again, at the earliest `after`."""

    def __init__(
        self, message: str, *, after: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(message)
        self.after = after
        """Seconds the partner asked us to wait."""
        self.throttled = throttled
        """The whole partner asked for quiet, so its lane pauses and no attempt is counted."""


class WaitingError(SyncError):
    """Something this work needs is not here yet; it is parked on `key` and costs no attempt."""

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class UnknownOutcomeError(SyncError):
    """The call left us and no answer came back: look it up by our reference before repeating."""


class AlreadyThereError(SyncError):
    """The partner has it already: adopt its id."""

    def __init__(self, message: str, *, external_id: str) -> None:
        super().__init__(message)
        self.external_id = external_id


class CredentialsError(SyncError):
    """The partner refuses our credentials: after one refresh, its lanes pause."""


class RejectedError(SyncError):
    """A person must look: refused for the violations given, never retried by itself."""

    def __init__(self, message: str, *, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)
