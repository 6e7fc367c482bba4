"""Take files from a partner's folder: whole ones only, each by one of us, none ever deleted.

Ready, claimed by a rename, read, stored by whoever asked, and only then moved into the archive. A
worker that dies in between leaves the file among the claimed ones, where the next look finds it.
"""

from __future__ import annotations

import datetime as dt
import re
import stat
from typing import TYPE_CHECKING

from syncworkers.connectors.files import Seen
from syncworkers.errors import CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    import paramiko

    from syncworkers.connectors.edi_sftp.settings import Settings

CLAIMED = ".claimed"
UNFINISHED = (".part", ".tmp", ".filepart")
LONGEST = 160
"""Bytes of a name that are kept in the archive: what is put behind it must fit as well."""
LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is still read; a larger one stays where it is."""


def listing(sftp: paramiko.SFTPClient, folder: PurePosixPath) -> list[Seen]:
    """List the files of a folder that somebody means to be read, by name."""
    found = []
    for one in _entries(sftp, folder):
        is_file = one.st_mode is None or stat.S_ISREG(one.st_mode)
        # A name that leads elsewhere is no name: what it leads to is nobody's file for us.
        meant = not one.filename.startswith(".") and not set(one.filename) & {"/", "\\", "\x00"}
        if is_file and meant and not one.filename.endswith(UNFINISHED):
            found.append(Seen(name=one.filename, size=one.st_size, modified=one.st_mtime))
    return sorted(found, key=lambda one: (one.modified or 0, one.name))


def _entries(sftp: paramiko.SFTPClient, folder: PurePosixPath) -> list[paramiko.SFTPAttributes]:
    try:
        return sftp.listdir_attr(str(folder))
    except UnicodeDecodeError as error:
        message = f"{folder} holds a file whose name is no UTF-8 ({error.object!r}): have it named"
        message += " in plain letters, for until then nothing in that folder can be listed"
        raise CredentialsError(message) from error


def ready(
    settings: Settings,
    listed: Sequence[Seen],
    unchanged: Mapping[Seen, float],
) -> list[Seen]:
    """Say which files are whole, the oldest first.

    Where the partner marks them, those whose mark stands in the same listing; else those that look
    as they did `stable_seconds` ago: `unchanged` says for how many seconds each was seen so.
    """
    if settings.done_marker:
        names = {one.name for one in listed}
        return [one for one in listed if f"{one.name}{settings.done_marker}" in names]
    return [one for one in listed if unchanged.get(one, -1.0) >= settings.stable_seconds]


def claim(sftp: paramiko.SFTPClient, settings: Settings, name: str) -> PurePosixPath | None:
    """Take a file for us alone by a plain rename; None where somebody was faster."""
    folder = settings.pickup / CLAIMED
    if not _exists(sftp, folder):
        sftp.mkdir(str(folder))
    try:
        sftp.rename(str(settings.pickup / name), str(folder / name))
    except OSError:
        if _exists(sftp, settings.pickup / name) and not _exists(sftp, folder / name):
            raise
        return None
    return folder / name


def left_behind(sftp: paramiko.SFTPClient, settings: Settings) -> list[Seen]:
    """List what was claimed and not archived: whoever did that is gone."""
    folder = settings.pickup / CLAIMED
    return listing(sftp, folder) if _exists(sftp, folder) else []


def read(sftp: paramiko.SFTPClient, path: PurePosixPath, size: int | None) -> bytes:
    """Read a claimed file; raises `RetryableError` where it is not as large as it was listed."""
    if size is not None and size > LARGEST:
        message = f"{path} has {size} bytes, more than the {LARGEST} that are read: have it split"
        raise RetryableError(message, after=600.0)
    with sftp.open(str(path), "rb") as file:
        if size:
            file.prefetch(size)
        body = file.read(LARGEST + 1)
    if size is not None and len(body) != size:
        message = f"{path} was listed with {size} bytes and has {len(body)}: it is being written"
        raise RetryableError(message)
    return body


def archive(
    sftp: paramiko.SFTPClient,
    settings: Settings,
    path: PurePosixPath,
    digest: str,
    at: dt.datetime,
) -> None:
    """Move a file that is stored with us out of the way, with its mark; it may be gone already."""
    stamp = f"{at:%Y%m%dT%H%M%SZ}-{digest[:8]}"
    named = path.name.encode()[:LONGEST].decode(errors="ignore")
    target = settings.archive / f"{named}.{stamp}"
    if not _exists(sftp, settings.archive):
        sftp.mkdir(str(settings.archive))
    if settings.done_marker:
        # First: a mark that is left alone would say of the next file of this name that it is whole.
        mark = settings.pickup / f"{path.name}{settings.done_marker}"
        if _exists(sftp, mark):
            sftp.rename(str(mark), f"{target}{settings.done_marker}")
    try:
        sftp.rename(str(path), str(target))
    except OSError:
        if _exists(sftp, path) and not _exists(sftp, target):
            raise
        if _exists(sftp, path):
            # The same file, archived within this second before.
            sftp.rename(str(path), f"{target}-again-{at:%f}")


_ARCHIVED = re.compile(
    r"(?P<name>.+)\.(?P<stamp>\d{8}T\d{6}Z)-[0-9a-f]{8}(?:-again-\d{6})?", re.DOTALL
)


def restore(
    sftp: paramiko.SFTPClient, settings: Settings, since: dt.datetime, until: dt.datetime
) -> int:
    """Put files back that were archived in a time, both ends included; return how many.

    One whose name is taken waits until that is free. What is archived anew has a later stamp.
    """
    if not _exists(sftp, settings.archive):
        return 0
    known = {one.name for one in listing(sftp, settings.archive)}
    there = {one.name for one in listing(sftp, settings.pickup)}
    found = 0
    for old in sorted(known):
        told = _ARCHIVED.fullmatch(old)
        if told is None or told["name"] in there:
            continue
        at = dt.datetime.strptime(told["stamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        if since <= at <= until:
            back = settings.pickup / told["name"]
            sftp.rename(str(settings.archive / old), str(back))
            marks = settings.done_marker
            if marks and f"{old}{marks}" in known:
                sftp.rename(str(settings.archive / f"{old}{marks}"), f"{back}{marks}")
            there.add(told["name"])
            found += 1
    return found


def give_back(sftp: paramiko.SFTPClient, settings: Settings, path: PurePosixPath) -> None:
    """Put a claimed file back: it turned out that its end is missing."""
    sftp.rename(str(path), str(settings.pickup / path.name))


def _exists(sftp: paramiko.SFTPClient, path: PurePosixPath) -> bool:
    try:
        sftp.stat(str(path))
    except FileNotFoundError:
        return False
    return True
