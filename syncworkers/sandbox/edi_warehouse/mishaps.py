"""How files go wrong, and how the warehouse makes it good: one function for each fault.

Each returns whether there was anything to do it with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.file_faults import FileFault
from syncworkers.x12.delimiters import Delimiters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.sandbox.edi_warehouse.documents import Draft
    from syncworkers.sandbox.edi_warehouse.outbox import Outbox

LATER, LATE = 2.0, 5.0
"""Seconds until a mistake is noticed, and until what waits is done."""
SLOW = 1.5
"""Seconds in which a file lies there half."""
OTHERS = (
    Delimiters("*", "|", ">"),
    Delimiters("^", "~", ":"),
    Delimiters("|", "\n", ">"),
)
COUNT = re.compile(rb"SE\*(\d+)\*(\d{4,9})~")
BOM = b"\xef\xbb\xbf"


def duplicate(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Leave a file, and the same again under another name."""
    file = outbox.make(drafts)
    outbox.put(file)
    outbox.later(1.0, lambda: outbox.put(file, suffix="-again"))
    return True


def half(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Write under the final name, and stop in the middle for a while."""
    file = outbox.make(drafts)
    place, middle = outbox.place(file), len(file.body) // 2
    place.write_bytes(file.body[:middle])
    # Held open: whoever takes it meanwhile under another name gets the rest all the same.
    growing = place.open("ab", buffering=0)

    def complete() -> None:
        with growing:
            growing.write(file.body[middle:])
        outbox.written += 1

    outbox.later(SLOW, complete)
    return True


def truncated(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Leave a file without its IEA; later take it back and leave it whole."""
    file = outbox.make(drafts)
    outbox.put(file, suffix="-cut", body=file.body[: file.body.rindex(b"IEA")])

    def correct() -> None:
        outbox.take_back(outbox.place(file, "-cut"))
        outbox.put(file)

    outbox.later(LATER, correct)
    return True


def wrong_count(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Count the segments of the last set wrong; later send that set again, counted right."""
    file = outbox.make(drafts)
    *_, last = COUNT.finditer(file.body)
    wrong = b"SE*%d*%s~" % (int(last[1]) + 1, last[2])
    outbox.put(file, body=file.body[: last.start()] + wrong + file.body[last.end() :])
    outbox.later(LATER, lambda: outbox.send(drafts[-1:], plain=True))
    return True


def late(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Leave a file much later."""
    outbox.later(LATE, lambda: outbox.send(drafts, plain=True))
    return True


def missing(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Leave nothing, ever."""
    del outbox
    return bool(drafts)


def delimiters(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Cut segments and elements by other characters, where no value holds them."""
    said = {one for draft in drafts for part in draft.segments for one in "".join(part.elements)}
    start = len(outbox.acknowledged) % len(OTHERS)
    for other in OTHERS[start:] + OTHERS[:start]:
        if said.isdisjoint(other.all):
            outbox.put(outbox.make(drafts, delimiters=other))
            return True
    return False


def bom(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Begin with a byte order mark."""
    file = outbox.make(drafts)
    outbox.put(file, body=BOM + file.body)
    return True


def two_interchanges(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Put two interchanges into one file; a document by itself gets company."""
    middle = (len(drafts) + 1) // 2
    first = outbox.make(drafts[:middle])
    second = outbox.make(drafts[middle:] or [outbox.filler()])
    outbox.put(first, body=first.body + second.body)
    return True


def repeat(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Send the same documents twice, in interchanges of their own."""
    outbox.put(outbox.make(drafts))
    outbox.later(LATER, lambda: outbox.send(drafts, plain=True))
    return True


def reused_number(outbox: Outbox, drafts: Sequence[Draft]) -> bool:
    """Send under the number of the file before; later under a number of its own."""
    number = outbox.last_number
    if number is None:
        return False
    outbox.put(outbox.make(drafts, number=number), suffix="-other")
    outbox.later(LATER, lambda: outbox.send(drafts, plain=True))
    return True


MISHAPS: Mapping[FileFault, Callable[[Outbox, Sequence[Draft]], bool]] = {
    FileFault.DUPLICATE: duplicate,
    FileFault.HALF: half,
    FileFault.TRUNCATED: truncated,
    FileFault.WRONG_COUNT: wrong_count,
    FileFault.LATE_ACK: late,
    FileFault.MISSING_ACK: missing,
    FileFault.DELIMITERS: delimiters,
    FileFault.BOM: bom,
    FileFault.TWO_INTERCHANGES: two_interchanges,
    FileFault.REPEAT: repeat,
    FileFault.REUSED_NUMBER: reused_number,
}
