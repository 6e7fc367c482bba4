"""Leave files in a partner's folder: written aside, then renamed, so that nobody sees a half."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    import paramiko

    from syncworkers.connectors.edi_sftp.settings import Settings


def drop(sftp: paramiko.SFTPClient, settings: Settings, name: str, body: bytes) -> None:
    """Leave a file; one of that name and size that lies there already is left as it is.

    Where sizes are not told its name is enough: it is given to whole files alone.
    Raises `RetryableError` where what arrived is not what was sent. A rename that fails after all
    means: look again, next time.
    """
    final = settings.drop / name
    if _size(sftp, final) not in {len(body), None}:
        _write(sftp, settings.drop, name, body, final)
    if settings.done_marker:
        with sftp.open(f"{final}{settings.done_marker}", "wb"):
            pass


def _write(
    sftp: paramiko.SFTPClient,
    folder: PurePosixPath,
    name: str,
    body: bytes,
    final: PurePosixPath,
) -> None:
    _sweep(sftp, folder, name)
    # A name of its own each time: a server that appends would double what lies there.
    aside = folder / f".{name}.{secrets.token_hex(4)}.part"
    with sftp.open(str(aside), "wb") as file:
        # Not pipelined: paramiko then swallows a write in the middle that was refused.
        file.write(body)
    arrived = sftp.stat(str(aside)).st_size
    if arrived is not None and arrived != len(body):
        message = f"{aside} has {arrived} bytes, and {len(body)} were sent"
        raise RetryableError(message)
    sftp.rename(str(aside), str(final))


def _sweep(sftp: paramiko.SFTPClient, folder: PurePosixPath, name: str) -> None:
    """Remove what a worker that died had begun of this file."""
    for one in sftp.listdir(str(folder)):
        if one.startswith(f".{name}.") and one.endswith(".part"):
            sftp.remove(str(folder / one))


def _size(sftp: paramiko.SFTPClient, path: PurePosixPath) -> int | None:
    """Return the size of what lies there; -1 where nothing does, None where it is not told."""
    try:
        return sftp.stat(str(path)).st_size
    except FileNotFoundError:
        return -1
