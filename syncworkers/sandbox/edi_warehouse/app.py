"""The simulated EDI warehouse, put together: a folder, its SFTP server, its floor, its books."""

from __future__ import annotations

import io
import itertools
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncworkers.sandbox.agenda import Agenda
from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.edi_warehouse import documents
from syncworkers.sandbox.edi_warehouse.books import Books, now_ms
from syncworkers.sandbox.edi_warehouse.control import (
    serve_books,
    serve_documents,
    serve_floor,
    serve_stock,
)
from syncworkers.sandbox.edi_warehouse.floor import Floor, Habits
from syncworkers.sandbox.edi_warehouse.inbox import Inbox
from syncworkers.sandbox.edi_warehouse.intake import Intake
from syncworkers.sandbox.edi_warehouse.link import Link
from syncworkers.sandbox.edi_warehouse.outbox import SNAPSHOT, Outbox, Route
from syncworkers.sandbox.edi_warehouse.sftp_server import FOLDERS, Faults, SftpServer
from syncworkers.sandbox.edi_warehouse.stock import Stock
from syncworkers.sandbox.serving import control, flask_app

if TYPE_CHECKING:
    from flask import Flask

    from syncworkers.sandbox.edi_warehouse.documents import Draft
    from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan

KEPT_CALLS = 1_000


class Warehouse:
    """A running warehouse over a temporary folder of its own, until it is closed."""

    def __init__(
        self,
        plan: FilePlan,
        route: Route,
        *,
        user: str,
        public_key: str,
        host_key: paramiko.PKey,
        sftp_port: int = 0,
        habits: Habits | None = None,
        snapshot_every: float = 10.0,
    ) -> None:
        """Open it; `snapshot_every` are the seconds between counts of stock, 0 for none."""
        habits = habits or Habits()
        seed, pace = habits.seed, habits.pace
        self.folder = Path(tempfile.mkdtemp(prefix="edi-warehouse-"))
        inbound, outbound, archive = (self.folder / name for name in FOLDERS)
        for one in (inbound, outbound, archive):
            one.mkdir()
        self.plan = plan
        self.calls = CallLog(keep=KEPT_CALLS)
        self.stock = Stock(seed=seed)
        self.books = Books(seed=seed)
        self._agenda = Agenda()
        self._snapshots = itertools.count(1)
        self.outbox = Outbox(
            outbound, plan, self._agenda, route, seed=seed, pace=pace, filler=self.count
        )
        self.floor = Floor(self.books, self.stock, self._agenda, self.outbox.add, habits)
        self.intake = Intake(self.books, self.floor, self.outbox, plan, route)
        self.inbox = Inbox(inbound, archive, self.intake, self.calls, pace=pace)
        self.server = self._serve(user, public_key, host_key, sftp_port, habits)
        self._closed = threading.Event()
        self.program = self._program()
        self.inbox.start()
        if snapshot_every:
            self._count_every(snapshot_every)

    def _serve(
        self, user: str, public_key: str, key: paramiko.PKey, port: int, habits: Habits
    ) -> SftpServer:
        faults = Faults()
        link = Link(faults, self.plan, seed=habits.seed, pace=habits.pace)
        server = SftpServer(
            self.folder,
            user=user,
            public_key=public_key,
            host_key=key,
            port=port,
            faults=faults,
            calls=self.calls,
            opening=link.opening,
        )
        link.serves(server)
        return server

    def _program(self) -> Flask:
        app = flask_app(__name__)
        app.register_blueprint(control(self.plan))
        serve_floor(app, self)
        serve_stock(app, self)
        serve_documents(app, self)
        serve_books(app, self)
        return app

    @property
    def busy(self) -> bool:
        """Say whether anything is still to happen by itself, or lies unread or uncollected."""
        return self.inbox.busy or self._agenda.busy or bool(self.outbox.uncollected())

    def count(self) -> Draft:
        """Count what is on the shelves."""
        return documents.snapshot(next(self._snapshots), self.stock.counted(), now_ms())

    def _count_every(self, seconds: float) -> None:
        def work() -> None:
            while not self._closed.wait(seconds):
                if not self.outbox.uncollected(SNAPSHOT):
                    self.outbox.send([self.count()], plain=True)

        threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Stop, and remove the folder."""
        self._closed.set()
        self.inbox.close()
        self.outbox.close()
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def host_key(seed: str) -> paramiko.PKey:
    """Make the server's Ed25519 key from its 64 hex digits; raises ValueError for others."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text.decode()))
