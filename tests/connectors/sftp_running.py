"""SFTP servers for tests, over real sockets: our simulated warehouse's, and Debian's OpenSSH."""

from __future__ import annotations

import getpass
import io
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncworkers.sandbox.edi_warehouse.sftp_server import FOLDERS, Faults, SftpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def make_key() -> tuple[str, paramiko.PKey]:
    """Make an Ed25519 key: its text, and itself."""
    text = (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        .decode()
    )
    return text, paramiko.Ed25519Key.from_private_key(io.StringIO(text))


def line(key: paramiko.PKey) -> str:
    """Write a public key as one line."""
    return f"{key.get_name()} {key.get_base64()}"


@dataclass
class Running:
    """A server, its folder, and what a partner file would say of it."""

    folder: Path
    connection: dict[str, Any]
    server: SftpServer | None = None

    @property
    def faults(self) -> Faults:
        """The switches; only our own server has some."""
        assert self.server is not None
        return self.server.faults

    def put(self, name: str, body: bytes) -> Path:
        """Lay a file where partners leave theirs."""
        place = self.folder / "outbound" / name
        place.write_bytes(body)
        return place

    def names(self, folder: str) -> list[str]:
        """List the files of a folder, hidden ones and those of its folders too."""
        found = (self.folder / folder).rglob("*")
        return sorted(str(one.relative_to(self.folder / folder)) for one in found if one.is_file())


def connection(
    folder: str, port: int, user: str, key: str, host: str, **more: Any
) -> dict[str, Any]:
    """Write the `[connection]` of a partner file."""
    return {
        "host": "127.0.0.1",
        "port": port,
        "user": user,
        "private_key": key,
        "host_keys": [host],
        "pickup": f"{folder}/outbound",
        "drop": f"{folder}/inbound",
        "archive": f"{folder}/archive",
        "sender": "EXAMPLECO",
        "receiver": "EXAMPLEWH",
        "usage": "T",
        "stable_seconds": 0.2,
        **more,
    }


@contextmanager
def own(folder: Path, **more: Any) -> Iterator[Running]:
    """Run our simulated warehouse's server."""
    key, private = make_key()
    _, host = make_key()
    server = SftpServer(folder, user="syncworkers", public_key=line(private), host_key=host)
    try:
        told = connection("", server.port, "syncworkers", key, line(host), **more)
        yield Running(folder, told, server)
    finally:
        server.close()


@contextmanager
def openssh(folder: Path, state: Path, **more: Any) -> Iterator[Running]:
    """Run Debian's server as ourselves, for this folder alone; skips where it is not installed."""
    if SSHD is None:
        pytest.skip("needs OpenSSH's server: apt-get install openssh-server")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    key, private = make_key()
    host_text, host = make_key()
    (state / "host").write_text(host_text)
    (state / "host").chmod(0o600)
    (state / "keys").write_text(line(private) + "\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (state / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {state}/host\nPidFile none\n"
        f"AuthorizedKeysFile {state}/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(state / "config")], stderr=subprocess.PIPE
    )
    try:
        _await(port, process)
        told = connection(str(folder), port, getpass.getuser(), key, line(host), **more)
        yield Running(folder, told)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end, "sshd does not listen"
            time.sleep(0.05)
        else:
            return
