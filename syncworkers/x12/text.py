"""Bytes to characters to segments, a piece of the file at a time."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, BinaryIO

from syncworkers.x12.delimiters import DECORATION, Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.header import LONGEST, Header, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 18
"""Bytes read, and characters cut, at a time."""
MAX_SEGMENT = 1 << 16
"""Characters of a segment; beyond that the terminator is missing."""
ISA = re.compile(r"ISA([^0-9A-Za-z \r\n]).{2}\1", re.DOTALL)
"""The beginning of an interchange: ISA01 has two characters."""


def decoded(source: bytes | BinaryIO) -> Iterator[str]:
    """Yield the text of a file: UTF-8 if all of it is, else Latin-1; without a BOM.

    A stream is read twice and must be seekable.
    """
    if isinstance(source, bytes):
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = source.removeprefix(codecs.BOM_UTF8).decode("latin-1")
        return (text[at : at + CHUNK] for at in range(0, len(text), CHUNK))
    return _decoded_stream(source)


def _decoded_stream(source: BinaryIO) -> Iterator[str]:
    start = source.tell()
    encoding = "utf-8-sig"
    try:
        for _ in _decoded_as(source, encoding):
            pass
    except UnicodeDecodeError:
        encoding = "latin-1"
    source.seek(start)
    if encoding == "latin-1" and source.read(3) != codecs.BOM_UTF8:
        source.seek(start)
    yield from _decoded_as(source, encoding)


def _decoded_as(source: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    while chunk := source.read(CHUNK):
        if text := decoder.decode(chunk):
            yield text
    decoder.decode(b"", final=True)


class Text:
    """The text of a file, cut as its headers say."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._held = ""
        self._at = 0
        self.ended = False
        """All of the file is held or gone."""
        self.cut_off = False
        """The last segment came without its terminator: the file ends there."""

    def junk(self) -> str:
        """Go to the next ISA, or to the end; return how what lies before it begins."""
        skipped = ""
        while True:
            self._need(LONGEST)
            found = ISA.search(self._held, self._at)
            upto = found.start() if found else len(self._held)
            if found is None and not self.ended:
                upto = max(self._at, upto - 8)
            if len(skipped) < 40:
                skipped = (skipped + self._held[self._at : upto]).strip(DECORATION)[:40]
            self._at = upto
            if found or (self.ended and self._at == len(self._held)):
                return skipped
            self._more()

    def header(self, number: int) -> Header | None:
        """Read the ISA that comes next; None when the file ends within it."""
        self._need(LONGEST)
        header = read_header(self._held[self._at : self._at + LONGEST], number)
        if header is not None:
            self._at += header.length
        return header

    @property
    def exhausted(self) -> bool:
        """Tell whether nothing is left."""
        return self.ended and self._at == len(self._held)

    def segments(self, delimiters: Delimiters, number: int) -> Iterator[str]:
        """Yield the segments that follow, without decoration, IEA being the last.

        `number` is that of the segment before them. Raises X12Error where no end is in sight.
        """
        trailer = f"IEA{delimiters.element}"
        while True:
            upto = self._boundary(delimiters.segment, trailer)
            if upto < 0:
                if self.ended:
                    break
                if len(self._held) - self._at > MAX_SEGMENT:
                    what = (
                        f"no {delimiters.segment!r} ends a segment within {MAX_SEGMENT} characters"
                    )
                    raise X12Error("x12.terminator", what, segment=number + 1)
                self._more()
                continue
            region = self._held[self._at : upto]
            self._at = upto + 1
            for piece in region.split(delimiters.segment):
                if bare := piece.strip(DECORATION):
                    number += 1
                    yield bare
        rest = self._held[self._at :].strip(DECORATION)
        self._at = len(self._held)
        if rest:
            self.cut_off = True
            yield rest

    def _boundary(self, terminator: str, trailer: str) -> int:
        """Return where the held text may be cut: behind an IEA, or else as late as can be."""
        found = self._held.find(trailer, self._at)
        upto = self._held.find(terminator, found) if found >= 0 else -1
        if upto >= 0:
            return upto
        return self._held.rfind(terminator, self._at, found if found >= 0 else None)

    def _need(self, count: int) -> None:
        while not self.ended and len(self._held) - self._at < count:
            self._more()

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
        else:
            self._held = self._held[self._at :] + chunk
            self._at = 0
