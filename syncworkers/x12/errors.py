"""The one error of the codec."""

from __future__ import annotations


class X12Error(ValueError):
    """What cannot be read or written, and where.

    `code` is stable, as in `x12.incomplete`. `segment` counts the segments of the file from 1
    (of the set when writing), `element` those of the segment; None where there is none.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        segment: int | None = None,
        tag: str = "",
        element: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.segment = segment
        self.tag = tag
        self.element = element

    def __str__(self) -> str:
        return f"{place(self.segment, self.tag, self.element)}{self.message}"


def place(segment: int | None, tag: str, element: int | None) -> str:
    """Name a place, as in `segment 12, W12-03: `."""
    if segment is None:
        return ""
    name = f"{tag}-{element:02d}" if element else tag
    return f"segment {segment}, {name}: " if name else f"segment {segment}: "
