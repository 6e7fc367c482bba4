"""Elements of a received document as values; what is wrong is gathered, each by its place.

Source: X12 004010, element types AN, R and N2; for dates and times see `clocks`, for ids and units
of goods `goods`. The message of a violation follows its place: `segment 5, W19-02: is 'ten', …`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mappings.edi_sftp.reasons import Reasons
from mappings.schema import clean
from syncworkers.errors import RejectedError, Violation
from syncworkers.x12.segments import TransactionSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mappings.edi_sftp.profile import Profile
    from syncworkers.x12.segments import Segment

LONGEST = 255
"""Characters of a text that any of our partners uses; no element of X12 that we read has more."""
SHOWN = 40
"""Characters of a wrong value that its message repeats."""
NOTHING = Decimal(0)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")
_CENTS = re.compile("-?[0-9]{1,15}")
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Elements(Reasons):
    """Reads the elements of one document as its partner's profile means them."""

    def __init__(self, document: TransactionSet, profile: Profile) -> None:
        super().__init__(document)
        self.profile = profile

    def all(self, *tags: str) -> Iterator[Segment]:
        """Return the segments of these tags, in order."""
        return (one for one in self.document.segments if one.tag in tags)

    def first(self, tag: str, qualifier: str = "") -> Segment | None:
        """Return the first segment of a tag, of those whose first element is the qualifier."""
        given = (one for one in self.all(tag) if qualifier in {"", one.get(1).strip()})
        return next(given, None)

    def head(self, tag: str, what: str) -> Segment:
        """Return the segment without which nothing says `what`; refuse the document otherwise."""
        found = self.first(tag)
        if found is None:
            self.absent(tag, f"is missing: nothing says {what}")
            raise self.refusal("the document")
        return found

    def loops(
        self, tag: str, ends: Collection[str] = ()
    ) -> Iterator[tuple[Segment, list[Segment]]]:
        """Yield each segment of a tag with those that follow it, up to the next or to an end."""
        found: tuple[Segment, list[Segment]] | None = None
        for one in self.document.segments:
            if found is not None and (one.tag == tag or one.tag in ends):
                yield found
                found = None
            if one.tag == tag:
                found = (one, [])
            elif found is not None:
                found[1].append(one)
        if found is not None:
            yield found

    def text(self, one: Segment | None, element: int) -> str:
        """Return a text without the blanks around it, "" where there is none."""
        value = "" if one is None else one.get(element).strip()
        if one is None or (len(value) <= LONGEST and not _UNFIT.search(value)):
            return value
        message = f"is {value[:SHOWN]!r}, longer than {LONGEST} characters or with control signs"
        self.wrong(one, element, "payload.invalid", message)
        return ""

    def needed(self, one: Segment, element: int, what: str) -> str:
        """Return a text that must be given."""
        value = self.text(one, element)
        if not one.get(element).strip():
            self.wrong(one, element, "field.missing", f"is missing, expected {what}")
        return value

    def number(self, one: Segment, element: int) -> Decimal | None:
        """Return a number with its sign, None where there is none or it is wrong."""
        value = self.text(one, element)
        if not value:
            return None
        if not _NUMBER.fullmatch(value):
            message = f"is {value[:SHOWN]!r}, expected a number as 12.5"
            self.wrong(one, element, "payload.invalid", message)
            return None
        return Decimal(value) + 0  # so that -0 is 0

    def quantity(self, one: Segment, element: int, what: str) -> Decimal:
        """Return a number that must be given, with its sign; 0 where it is wrong."""
        self.needed(one, element, what)
        return self.number(one, element) or NOTHING

    def count(self, one: Segment, element: int, remedy: str = "") -> Decimal | None:
        """Return a number of goods, as `number`; one below zero is wrong."""
        found = self.number(one, element)
        if found is None or found >= 0:
            return found
        self.wrong(one, element, "quantity.invalid", f"is {found}, below zero{remedy}")
        return None

    def amount(self, one: Segment, element: int, what: str) -> Decimal:
        """Return an amount that must be given, its two decimals implied: 1990 is 19.90."""
        value = self.needed(one, element, what)
        if _CENTS.fullmatch(value):
            return Decimal(value).scaleb(-2)
        if value:
            message = f"is {value[:SHOWN]!r}, expected an amount without a point, as 1990 for 19.90"
            self.wrong(one, element, "payload.invalid", message)
        return NOTHING


def opened(body: bytes, code: str, profile: Profile) -> Elements:
    """Open a document as it lies in the inbox; raises `RejectedError` for anything else."""
    try:
        document = TransactionSet.loads(body)
        envelope = document.envelope
        texts = [envelope.date, envelope.time]
        texts += [text for one in document.segments for text in (one.tag, *one.elements)]
        if not all(isinstance(text, str) for text in texts) or type(document.place) is not int:
            raise TypeError("a text is expected")  # noqa: TRY301 - one way out for all
        if document.code != code:
            raise ValueError(f"it is a {document.code}")  # noqa: TRY301 - the same
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = clean(f"is no document {code} as the codec keeps it: {error}")
        violation = Violation(path="", code="payload.unreadable", message=message)
        raise RejectedError(message, violations=[violation]) from None
    return Elements(document, profile)
