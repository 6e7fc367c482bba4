"""Findings of one set, group or interchange, as they are made."""

from __future__ import annotations

from syncworkers.x12.findings import Finding
from syncworkers.x12.rules import Level

MOST = 100
"""Findings kept of one thing: a file of nothing but errors must not fill the memory."""


class Findings:
    """What is found in one thing."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._more = 0
        self.refused = False
        """One of them, kept or not, is an error."""

    def add(  # noqa: PLR0913 - a finding has that many sides
        self,
        code: str,
        level: Level,
        message: str,
        *,
        segment: int,
        tag: str,
        element: int | None = None,
        position: int = 0,
        value: str = "",
        syntax: str = "",
    ) -> None:
        """Add a finding; the first error is kept whatever was found before."""
        first_error = level is Level.ERROR and not self.refused
        self.refused = self.refused or level is Level.ERROR
        if len(self._kept) >= MOST and not first_error:
            self._more += 1
            return
        self._kept.append(
            Finding(
                code=f"x12.{code}",
                level=level,
                message=message,
                segment=segment,
                tag=tag[:20],
                element=element,
                position=position,
                value=value[:99],
                syntax=syntax,
            )
        )

    def all(self) -> tuple[Finding, ...]:
        """Return them; the last one counts those that were not kept."""
        if self._more:
            last = self._kept[-1]
            self.add_count(last.segment, last.tag)
        return tuple(self._kept)

    def add_count(self, segment: int, tag: str) -> None:
        """Say how many more there are."""
        message = f"{self._more} more findings are not listed"
        more = Finding(code="x12.more", level=Level.WARN, message=message, segment=segment, tag=tag)
        self._kept.append(more)
        self._more = 0
