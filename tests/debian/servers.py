"""Debian's own servers over TCP with passwords: PostgreSQL, PgBouncer before it, Redis with TLS."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from syncworkers.servers import children, places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROLE = "syncworkers"
PACKAGES = {"postgres": "postgresql", "pgbouncer": "pgbouncer", "redis-server": "redis-server"}


def program(name: str) -> str | None:
    """Return where Debian keeps a program, the newest; None if it is not installed."""
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(packaged[-1]) if packaged else shutil.which(name, path=f"/usr/sbin:{os.defpath}")


def missing() -> list[str]:
    """Return the Debian packages that are not installed."""
    found = [package for name, package in PACKAGES.items() if program(name) is None]
    return found + ([] if shutil.which("openssl") else ["openssl"])


@contextmanager
def running(folder: Path) -> Iterator[Mapping[str, str]]:
    """Start all of them; yield the addresses that tests read, as environment variables."""
    user = places.server_user()
    password = secrets.token_hex(12)
    if user is not None:
        os.chown(folder, user, -1)
    with ExitStack() as started:
        postgres = _start_postgres(started, folder, password, user)
        pooler = _start_pooler(started, folder, password, postgres, user)
        redis = _start_redis(started, folder, password)
        tls = f"ssl_cert_reqs=required&ssl_ca_certs={folder / 'redis.crt'}"
        yield {
            "TEST_DATABASE_URL": f"postgresql+psycopg://{ROLE}:{password}@127.0.0.1:{pooler}/{ROLE}",
            "TEST_REDIS_URL": f"rediss://:{password}@localhost:{redis}/0?{tls}",
        }


def _start_postgres(started: ExitStack, folder: Path, password: str, user: int | None) -> int:
    data, port = folder / "postgres", _free_port()
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o644)
    words = ["-D", str(data), "-U", ROLE, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8"]
    words += ["--locale=C", f"--pwfile={folder / 'password'}"]
    _run([_found("initdb"), *words], user)
    settings = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
    settings += ["max_connections=300", "fsync=off", "synchronous_commit=off", "timezone=UTC"]
    command = [_found("postgres"), "-D", str(data)]
    command += [word for setting in settings for word in ("-c", setting)]
    _serve(started, folder, "postgres", command, user=user, farewell=signal.SIGINT)
    _wait_for(port)
    with psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=ROLE,
        password=password,
        dbname="postgres",
        autocommit=True,
    ) as connection:
        connection.execute(f"CREATE DATABASE {ROLE}")
    return port


def _start_pooler(
    started: ExitStack, folder: Path, password: str, postgres: int, user: int | None
) -> int:
    port = _free_port()
    (folder / "users.txt").write_text(f'"{ROLE}" "{password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host=127.0.0.1 port={postgres}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder / "users.txt"}
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 40
server_idle_timeout = 5
"""
    )
    command = [_found("pgbouncer"), str(folder / "pgbouncer.ini")]
    _serve(started, folder, "pgbouncer", command, user=user, farewell=signal.SIGINT)
    _wait_for(port)
    return port


def _start_redis(started: ExitStack, folder: Path, password: str) -> int:
    port = _free_port()
    key, certificate = folder / "redis.key", folder / "redis.crt"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"]
    request += ["/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    _run(["openssl", *request, "-keyout", str(key), "-out", str(certificate)], None)
    command = [_found("redis-server"), "--port", "0", "--tls-port", str(port)]
    command += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    command += ["--tls-auth-clients", "no", "--bind", "127.0.0.1", "--requirepass", password]
    command += ["--save", "", "--maxmemory-policy", "noeviction", "--dir", str(folder)]
    _serve(started, folder, "redis", command, user=None, farewell=signal.SIGTERM)
    _wait_for(port)
    return port


def _found(name: str) -> str:
    found = program(name)
    assert found is not None, name
    return found


def _run(command: Sequence[str], user: int | None) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/", user=user, group=user)


def _serve(
    started: ExitStack,
    folder: Path,
    name: str,
    command: Sequence[str],
    *,
    user: int | None,
    farewell: int,
) -> None:
    with (folder / f"{name}.log").open("wb") as log:
        process = children.start(command, log=log, user=user, cwd="/", farewell=farewell)
    started.callback(children.stop, process, sign=farewell, grace=10.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
