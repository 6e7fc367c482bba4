"""Watches the folder where orders are dropped; what has its final name is read and put away."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from syncworkers.x12.errors import X12Error
from syncworkers.x12.read import read

if TYPE_CHECKING:
    from pathlib import Path

    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.edi_warehouse.intake import Intake

EVERY = 0.2
LOOKS = 50
"""How often a file without its end is looked at before it is put away unread."""
KEPT = 5_000
"""Files in the archive; older ones are removed."""
UNFINISHED = (".part", ".tmp", ".filepart")


class Inbox:
    """Looks again and again, in a thread of its own, until it is closed."""

    def __init__(
        self, folder: Path, archive: Path, intake: Intake, calls: CallLog, *, pace: float
    ) -> None:
        self._folder = folder
        self._archive = archive
        self._intake = intake
        self._calls = calls
        self._every = EVERY * pace
        self._looks: dict[str, int] = {}
        self._closed = threading.Event()
        self._at_work = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.unreadable = 0

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Say whether anything lies there unread."""
        return self._at_work.locked() or bool(self._waiting())

    def _waiting(self) -> list[Path]:
        found = [one for one in self._folder.iterdir() if one.is_file()]
        return sorted(
            one
            for one in found
            if not one.name.startswith(".") and not one.name.endswith(UNFINISHED)
        )

    def _watch(self) -> None:
        while not self._closed.wait(self._every):
            self.look()

    def look(self) -> None:
        """Read what lies there, in the order of its names."""
        with self._at_work:
            for one in self._waiting():
                self._read(one)

    def _read(self, path: Path) -> None:
        try:
            file = read(path.read_bytes())
        except FileNotFoundError:
            return
        except X12Error as error:
            self._looks[path.name] = self._looks.get(path.name, 0) + 1
            if error.code == "x12.incomplete" and self._looks[path.name] < LOOKS:
                return
            self.unreadable += 1
            self._calls.note("file unreadable", None)
        else:
            for interchange in file.interchanges:
                for group in interchange.groups:
                    self._calls.note(f"file {group.envelope.functional_id}", None)
            self._intake.take(file)
        self._looks.pop(path.name, None)
        self._put_away(path)

    def _put_away(self, path: Path) -> None:
        target, again = self._archive / f"read-{path.name}", 1
        while target.exists():
            again += 1
            target = self._archive / f"read-{path.name}-{again}"
        path.rename(target)
        kept = list(self._archive.iterdir())
        if len(kept) > KEPT:
            kept.sort(key=lambda one: one.stat().st_mtime)
            for old in kept[: KEPT // 10]:
                old.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
