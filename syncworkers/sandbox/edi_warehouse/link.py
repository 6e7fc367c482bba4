"""The sessions with the warehouse's server that go wrong, one at a time, as a plan says."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.file_faults import LinkFault

if TYPE_CHECKING:
    from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
    from syncworkers.sandbox.edi_warehouse.sftp_server import Faults, SftpServer

SWITCHES = {
    "cut_after": LinkFault.CUT,
    "refuse_rename": LinkFault.REFUSE_RENAME,
    "hang": LinkFault.HANG,
    "refuse_key": LinkFault.REFUSE_LOGIN,
}
FURTHEST = 800
"""Bytes after which a connection is cut, at most."""
SHORT, LONG = 1.5, 30.0
"""Seconds that an answer takes, once, and in a spell."""


class Link:
    """Switches the faults of a server; each stays until somebody meets it."""

    def __init__(self, faults: Faults, plan: FilePlan, *, seed: int, pace: float) -> None:
        self._faults = faults
        self._plan = plan
        self._pace = pace
        self._chance = random.Random(f"link/{seed}")
        self._lock = threading.Lock()
        self._current: LinkFault | None = None
        self._spells = 0
        self._server: SftpServer | None = None
        faults.hit = self.met
        plan.on_spell = self.spell

    def serves(self, server: SftpServer) -> None:
        """Say whose sessions these are."""
        self._server = server

    def opening(self) -> None:
        """Decide about a session that begins."""
        with self._lock:
            if self._current is not None or self._spells:
                return
            self._current = self._plan.next_session()
            faults = self._faults
            match self._current:
                case LinkFault.CUT:
                    moved = self._server.moved if self._server else 0
                    faults.cut_after = moved + self._chance.randint(1, FURTHEST)
                case LinkFault.REFUSE_RENAME:
                    faults.refuse_rename = True
                case LinkFault.HANG:
                    faults.hang = SHORT * self._pace
                case LinkFault.REFUSE_LOGIN:
                    faults.refuse_key = True
                case None:
                    return

    def met(self, switch: str) -> None:
        """Note that somebody met a fault, which is over with that."""
        with self._lock:
            fault = SWITCHES.get(switch)
            if fault is None or fault is not self._current:
                return
            self._current = None
            self._plan.count(fault)
            self._calm()

    def _calm(self) -> None:
        faults = self._faults
        faults.cut_after, faults.hang = None, 0.0
        faults.refuse_rename = faults.refuse_key = faults.refuse_connections = False

    def spell(self, kind: str, seconds: float) -> None:
        """Have every session go wrong for a while: `outage` or `hang`."""
        with self._lock:
            self._spells += 1
            self._current = None
            self._calm()
            if kind == "outage":
                self._faults.refuse_connections = True
            else:
                self._faults.hang = LONG
        if kind == "outage" and self._server is not None:
            self._server.drop_connections()
        timer = threading.Timer(seconds, self._over)
        timer.daemon = True
        timer.start()

    def _over(self) -> None:
        with self._lock:
            self._spells -= 1
            if not self._spells:
                self._calm()
