"""The warehouse's SFTP server: real sockets, a real folder, one user with one key, and faults.

It lets nobody out of its folder. Its faults are plain switches, for tests and for storms.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK, SFTP_PERMISSION_DENIED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from syncworkers.sandbox.calls import CallLog

FOLDERS = ("inbound", "outbound", "archive")
"""Ours to them, theirs to us, and where what was taken goes."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong from now on; each is off as it stands."""

    refuse_connections: bool = False
    """Nobody hears more than a closed door."""
    refuse_key: bool = False
    hang: float = 0.0
    """Seconds before every answer."""
    cut_after: int | None = None
    """Bytes that are written or read before the connection is cut."""
    no_sizes: bool = False
    refuse_rename: bool = False
    take_at_once: bool = False
    """What is dropped here is taken away as soon as it has its name."""
    algorithms: Sequence[str] = ()
    """Key exchanges it insists on."""
    hit: Callable[[str], None] | None = None
    """Told the name of each switch as it does harm."""

    def met(self, name: str) -> None:
        """Say that somebody met one of them."""
        if self.hit is not None:
            self.hit(name)


@dataclass(slots=True)
class _Doors:
    """What one server shares with all of its sessions."""

    folder: Path
    user: str
    key: str
    faults: Faults
    cut: Callable[[], None]
    calls: CallLog | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    moved: int = 0

    def note(self, operation: str) -> None:
        """Count what somebody asked for."""
        if self.calls is not None:
            self.calls.note(operation, None)


class SftpServer:
    """Serves a folder until it is closed."""

    def __init__(
        self,
        folder: Path,
        *,
        user: str,
        public_key: str,
        host_key: paramiko.PKey,
        port: int = 0,
        faults: Faults | None = None,
        calls: CallLog | None = None,
        opening: Callable[[], None] | None = None,
    ) -> None:
        """Listen; `opening` is called before each session, and may switch faults."""
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.faults = faults or Faults()
        self.host_key = host_key
        self._doors = _Doors(folder, user, public_key, self.faults, self.drop_connections, calls)
        self._opening = opening
        self._listening = socket.create_server(("127.0.0.1", port))
        self._transports: set[paramiko.Transport] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        port: int = self._listening.getsockname()[1]
        return port

    @property
    def moved(self) -> int:
        """Return how many bytes went over, both ways, since a connection was cut."""
        return self._doors.moved

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        if self._opening is not None:
            self._opening()
        if self.faults.refuse_connections:
            self.faults.met("refuse_connections")
            taken.close()
            return
        self._doors.note("connect")
        transport = paramiko.Transport(taken)
        if self.faults.algorithms:
            transport.get_security_options().kex = tuple(self.faults.algorithms)
        transport.add_server_key(self.host_key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, self._doors)
        self._transports.add(transport)
        try:
            transport.start_server(server=_Session(self._doors))
            transport.join()
        except (paramiko.SSHException, EOFError, OSError):
            transport.close()
        finally:
            self._transports.discard(transport)

    def drop_connections(self) -> None:
        """Cut every session."""
        for one in list(self._transports):
            one.close()

    def close(self) -> None:
        """Stop listening, and cut every session."""
        self._closed.set()
        # A thread that waits for the next connection hears of this, and not of a mere close.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop_connections()
        self._thread.join(timeout=5.0)


class _Session(paramiko.ServerInterface):
    """Lets in one user with one key, and opens nothing but SFTP."""

    def __init__(self, doors: _Doors) -> None:
        self._doors = doors

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        doors = self._doors
        known = username == doors.user and f"{key.get_name()} {key.get_base64()}" == doors.key
        if known and doors.faults.refuse_key:
            doors.faults.met("refuse_key")
            return AUTH_FAILED
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    """An open file whose transfer may be cut."""

    def __init__(self, doors: _Doors, file: Any, flags: int) -> None:
        super().__init__(flags)
        self._doors = doors
        self.readfile = file
        self.writefile = file

    def write(self, offset: int, data: Any) -> Any:
        self._count(len(data))
        return super().write(offset, data)

    def read(self, offset: int, length: int) -> Any:
        found = super().read(offset, length)
        if isinstance(found, bytes):
            self._count(len(found))
        return found

    def _count(self, size: int) -> None:
        doors = self._doors
        with doors.lock:
            doors.moved += size
            limit = doors.faults.cut_after
            if limit is not None and doors.moved > limit:
                doors.moved = 0
                doors.faults.met("cut_after")
                doors.cut()


class _Folder(paramiko.SFTPServerInterface):
    """The folder, as SFTP shows it."""

    def __init__(self, server: paramiko.ServerInterface, doors: _Doors) -> None:
        super().__init__(server)
        self._doors = doors

    def _place(self, path: str) -> Path:
        seconds = self._doors.faults.hang
        if seconds:
            self._doors.faults.met("hang")
            threading.Event().wait(seconds)
        return self._doors.folder / self.canonicalize(path).lstrip("/")

    def _attributes(self, found: os.stat_result, name: str = "") -> paramiko.SFTPAttributes:
        attributes = paramiko.SFTPAttributes.from_stat(found, name)
        if self._doors.faults.no_sizes:
            attributes.st_size = None
        return attributes

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        self._doors.note("list")
        try:
            with os.scandir(self._place(path)) as entries:
                return [self._attributes(one.stat(), one.name) for one in entries]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        self._doors.note("stat")
        try:
            return self._attributes(self._place(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(
        self, path: str, flags: int, attr: paramiko.SFTPAttributes
    ) -> paramiko.SFTPHandle | int:
        place = self._place(path)
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
        self._doors.note("write" if writes else "read")
        try:
            number = os.open(place, flags, 0o644)
            file = os.fdopen(number, "wb" if writes else "rb", buffering=0)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        del attr
        return _Handle(self._doors, file, flags)

    def remove(self, path: str) -> int:
        self._doors.note("remove")
        return self._do(lambda: self._place(path).unlink())

    def rename(self, oldpath: str, newpath: str) -> int:
        """Rename, never over what is there, as SFTP's plain rename is."""
        self._doors.note("rename")
        if self._doors.faults.refuse_rename:
            self._doors.faults.met("refuse_rename")
            return SFTP_PERMISSION_DENIED
        old, new = self._place(oldpath), self._place(newpath)

        def move() -> None:
            os.link(old, new)
            old.unlink()
            if self._doors.faults.take_at_once and new.parent.name == FOLDERS[0]:
                new.rename(self._doors.folder / FOLDERS[2] / f"taken-{new.name}")

        if old.is_dir():
            return self._do(lambda: old.rename(new))
        return self._do(move)

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        del attr
        self._doors.note("mkdir")
        return self._do(lambda: self._place(path).mkdir())

    def _do(self, act: Any) -> int:
        try:
            act()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return SFTP_OK
