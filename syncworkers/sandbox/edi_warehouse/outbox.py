"""What the warehouse sends: documents gathered into files, with numbers, for its customer to fetch.

Files are written aside and renamed, and no name comes twice.
"""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.mishaps import MISHAPS
from syncworkers.x12.errors import X12Error
from syncworkers.x12.tables import DOCUMENTS
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from syncworkers.sandbox.agenda import Agenda
    from syncworkers.sandbox.edi_warehouse.documents import Draft
    from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
    from syncworkers.x12.delimiters import Delimiters
    from syncworkers.x12.segments import Segment

GATHER = 0.4
"""Seconds in which documents of a kind come together."""
LONGEST = 50
"""Documents in a file."""
CLAIMED = ".claimed"
"""Where its customer keeps what it is just fetching."""
SNAPSHOT = "846"
QUALIFIER = "ZZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who speaks to whom, as the warehouse sees it: it is the sender."""

    sender: str
    receiver: str
    usage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutFile:
    """A file to leave: its number is that of its interchange."""

    code: str
    number: int
    body: bytes

    def name(self, suffix: str = "") -> str:
        """Name it; a suffix makes another name."""
        return f"{self.code}-{self.number:09}{suffix}.edi"


class Outbox:
    """Gathers, numbers and leaves; safe to use from many threads."""

    def __init__(
        self,
        folder: Path,
        plan: FilePlan,
        agenda: Agenda,
        route: Route,
        *,
        seed: int,
        pace: float,
        filler: Callable[[], Draft],
    ) -> None:
        """Leave files in a folder; `filler` makes a document that may go along with any other."""
        self._folder = folder
        self._agenda = agenda
        self._pace = pace
        self._route = route
        self._lock = threading.Lock()
        self._pending: dict[str, list[Draft]] = defaultdict(list)
        first = seed % 1000 * 100_000 + 1
        self._numbers = itertools.count(first)
        self._groups = itertools.count(first)
        self._closed = False
        self.plan = plan
        self.filler = filler
        self.last_number: int | None = None
        self.unwritable = 0
        self.written = 0
        self.acknowledged: dict[str, str | None] = {}
        """By group, as in SW/12, how its customer took it; None is not yet."""

    def add(self, draft: Draft) -> None:
        """Send a document soon, with others of its kind."""
        with self._lock:
            waiting = self._pending[draft.code]
            waiting.append(draft)
            if len(waiting) == 1:
                self.later(GATHER, lambda: self._flush(draft.code))

    def _flush(self, code: str) -> None:
        with self._lock:
            drafts = self._pending.pop(code, [])
        for start in range(0, len(drafts), LONGEST):
            self.send(drafts[start : start + LONGEST])

    def send(
        self, drafts: Sequence[Draft], *, notes: Sequence[Segment] = (), plain: bool = False
    ) -> None:
        """Send documents of a kind in one file, perhaps badly; `notes` are TA1 segments."""
        code = drafts[0].code if drafts else "997"
        fault = None if plain or notes else self.plan.next_file(code)
        try:
            if fault is not None and MISHAPS[fault](self, drafts):
                self.plan.count(fault)
                return
            self.put(self.make(drafts, notes=notes))
        except X12Error:
            self.unwritable += 1

    def make(
        self,
        drafts: Sequence[Draft],
        *,
        notes: Sequence[Segment] = (),
        number: int | None = None,
        delimiters: Delimiters | None = None,
    ) -> OutFile:
        """Write an interchange; raises X12Error where a value cannot be written."""
        with self._lock:
            number = next(self._numbers) if number is None else number
            group = next(self._groups)
        code = drafts[0].code if drafts else "997"
        body = write(self._interchange(drafts, number, group, notes), delimiters)
        self.last_number = number
        if drafts and code != "997":
            self.acknowledged[f"{DOCUMENTS[code].functional_ids[0]}/{group}"] = None
        return OutFile(code=code, number=number, body=body)

    def _interchange(
        self, drafts: Sequence[Draft], number: int, group: int, notes: Sequence[Segment]
    ) -> OutInterchange:
        route = self._route
        sets = tuple(
            OutSet(code=one.code, control_number=f"{place:04}", segments=one.segments)
            for place, one in enumerate(drafts, start=1)
        )
        groups = (
            OutGroup(
                functional_id=DOCUMENTS[drafts[0].code].functional_ids[0],
                sender=route.sender,
                receiver=route.receiver,
                control_number=group,
                sets=sets,
            )
            for _ in drafts[:1]
        )
        return OutInterchange(
            sender_qualifier=QUALIFIER,
            sender=route.sender,
            receiver_qualifier=QUALIFIER,
            receiver=route.receiver,
            control_number=number,
            at=dt.datetime.now(dt.UTC),
            groups=tuple(groups),
            acknowledgements=tuple(notes),
            usage=route.usage,
        )

    def put(self, file: OutFile, *, suffix: str = "", body: bytes | None = None) -> None:
        """Leave a file, or something else under its name."""
        final = self.place(file, suffix)
        aside = final.with_name(f".{final.name}.part")
        if not self._closed:
            aside.write_bytes(file.body if body is None else body)
            aside.rename(final)
            self.written += 1

    def place(self, file: OutFile, suffix: str = "") -> Path:
        """Say where a file lies once it is left."""
        return self._folder / file.name(suffix)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something done in so many seconds of the warehouse's own pace."""

        def act() -> None:
            if not self._closed:
                action()

        self._agenda.later(seconds * self._pace, act)

    def take_back(self, path: Path, tries: int = 200) -> None:
        """Remove a file that its customer cannot use; while that is looking at it, wait."""
        path.unlink(missing_ok=True)
        if (path.parent / CLAIMED / path.name).exists() and tries:
            self.later(0.5, lambda: self.take_back(path, tries - 1))

    def uncollected(self, code: str = "") -> list[str]:
        """List what nobody has fetched; counts of stock only where they are asked for by code."""
        folders = (self._folder, self._folder / CLAIMED)
        names = [one.name for folder in folders if folder.is_dir() for one in folder.iterdir()]
        found = [one for one in names if not one.startswith(".")]
        return [one for one in found if one.startswith(code or "") and (code or not _counts(one))]

    def note(self, group: str, fate: str) -> None:
        """Note how the customer took a group."""
        if group in self.acknowledged:
            self.acknowledged[group] = fate

    def close(self) -> None:
        """Leave nothing any more."""
        self._closed = True


def _counts(name: str) -> bool:
    return name.startswith(f"{SNAPSHOT}-")
