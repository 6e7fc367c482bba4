"""One connection to the SFTP server: pinned keys, a limit on everything, each failure a verdict."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import paramiko

from syncworkers.errors import CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.base import Deadline
    from syncworkers.connectors.edi_sftp.settings import Settings

CONNECT, BANNER, AUTH, CHANNEL = 10.0, 10.0, 15.0, 20.0
"""Seconds for the socket, the server's greeting, the log-in, and each answer afterwards."""
RUNBOOK = "docs/edi.md says what to ask them for"


@contextmanager
def opened(settings: Settings, deadline: Deadline) -> Iterator[paramiko.SFTPClient]:
    """Open a session, and close it afterwards; nothing in it outlasts the deadline.

    Raises `RetryableError` where the server is away or slow, `CredentialsError` where a person must
    look before anybody tries again: a host key we do not know, algorithms we do not share, a log-in
    that is refused. Errors of the work inside are told in the same way.
    """
    transport = None
    try:
        transport = _transport(settings, deadline)
        watch = threading.Timer(deadline.remaining(), transport.close)
        watch.daemon = True
        watch.start()
        try:
            yield _log_in(settings, transport, deadline)
        finally:
            watch.cancel()
    except paramiko.SFTPError as error:
        raise _retry(settings, f"answered {error}") from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _retry(settings, _said(error)) from error
    finally:
        if transport is not None:
            transport.close()


def is_alive(sftp: paramiko.SFTPClient) -> bool:
    """Say whether a session still stands: what failed on it is then the fault of that one thing."""
    channel = sftp.get_channel()
    return channel is not None and not channel.closed and channel.get_transport().is_active()


def _transport(settings: Settings, deadline: Deadline) -> paramiko.Transport:
    """Reach the server, and make sure that it is the right one before anything is told to it."""
    limit = min(CONNECT, max(deadline.remaining(), 0.001))
    reached = socket.create_connection((settings.host, settings.port), timeout=limit)
    try:
        transport = paramiko.Transport(reached)
    except BaseException:
        reached.close()
        raise
    transport.banner_timeout = BANNER
    transport.auth_timeout = AUTH
    transport.daemon = True
    try:
        transport.start_client(timeout=min(BANNER, max(deadline.remaining(), 0.001)))
        _check_host(settings, transport)
    except paramiko.ssh_exception.IncompatiblePeer as error:
        transport.close()
        message = (
            f"{_named(settings)} and we share no algorithm ({error}): it is too old for what is "
            f"safe today, and we weaken nothing; {RUNBOOK}"
        )
        raise CredentialsError(message) from error
    except BaseException:
        transport.close()
        raise
    return transport


def _check_host(settings: Settings, transport: paramiko.Transport) -> None:
    shown = transport.get_remote_server_key()
    if (shown.get_name(), base64.b64encode(shown.asbytes()).decode()) in settings.host_keys:
        return
    message = (
        f"{_named(settings)} shows a host key that is not pinned ({shown.get_name()} "
        f"{shown.fingerprint}): ask them whether it changed; if so add it to host_keys beside the "
        "old one, and never before they said so"
    )
    raise CredentialsError(message)


def _log_in(
    settings: Settings, transport: paramiko.Transport, deadline: Deadline
) -> paramiko.SFTPClient:
    transport.auth_timeout = min(AUTH, max(deadline.remaining(), 0.001))
    try:
        transport.auth_publickey(settings.user, settings.private_key)
    except paramiko.AuthenticationException as error:
        if "timeout" in str(error).lower():
            raise _retry(settings, "did not answer our log-in in time") from error
        message = f"{_named(settings)} refuses user {settings.user!r} with our key: have it added"
        raise CredentialsError(message) from error
    client = paramiko.SFTPClient.from_transport(transport)
    if client is None:
        message = f"{_named(settings)} opens no SFTP session"
        raise RetryableError(message)
    channel = client.get_channel()
    if channel is not None:
        channel.settimeout(min(CHANNEL, max(deadline.remaining(), 0.001)))
    return client


def _named(settings: Settings) -> str:
    return f"the SFTP server {settings.host}:{settings.port}"


def _retry(settings: Settings, what: str) -> RetryableError:
    return RetryableError(f"{_named(settings)} {what}")


def _said(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return f"is not to be found: {error}"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    text = str(error).strip()
    return f"failed: {text}" if text else f"ended the connection ({type(error).__name__})"
