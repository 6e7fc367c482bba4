"""Where embedded servers keep things: data in the checkout, sockets where paths are short."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import tempfile
from pathlib import Path

UNPRIVILEGED = "nobody"
"""Postgres refuses to run as root; as root it runs as this account."""


def server_user() -> int | None:
    """Return the account to run as, or None to stay who we are."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def fingerprint(folder: Path) -> str:
    """Return a short name for a folder, unique on this machine."""
    return hashlib.blake2b(str(folder.resolve()).encode(), digest_size=6).hexdigest()


def socket_folder(folder: Path) -> Path:
    """Make the folder for sockets: a socket's path must be short (107 bytes)."""
    place = Path(tempfile.gettempdir()) / f"syncworkers-{os.geteuid()}-{fingerprint(folder)}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid not in {os.geteuid(), server_user()}:
        message = f"{place} belongs to somebody else; remove it or set TMPDIR"
        raise PermissionError(message)
    return place


def readable_by_others(path: Path) -> bool:
    """Say whether any account may walk to the path and use it."""
    walk = all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
    return walk and bool(path.stat().st_mode & 0o005 == 0o005)


def data_home(folder: Path) -> Path:
    """Return where Postgres may keep its data.

    In the checkout, unless we are root and its account cannot walk there: then outside, so that no
    folder of yours is opened to others.
    """
    if server_user() is None or readable_by_others(folder):
        return folder
    return _roots_own(f"syncworkers-{fingerprint(folder)}")


def programs(installed: Path) -> Path:
    """Return the folder of Postgres' programs: a copy where its account cannot walk to ours.

    The programs find their libraries beside the package (`<package>.libs`), so both are copied.
    """
    if server_user() is None or readable_by_others(installed):
        return installed
    package = installed.parent
    home = _roots_own("syncworkers-programs") / fingerprint(package)
    if not home.exists():
        half = home.with_suffix(f".{os.getpid()}")
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, half / part.name, symlinks=True)
        half.rename(home)
    return home / package.name / installed.name


def _roots_own(name: str) -> Path:
    """Make a folder that others can read and only root can write, kept over reboots."""
    home = Path("/var/tmp") / name  # noqa: S108 - its owner is checked
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != 0:
        message = f"{home} is not root's: remove it"
        raise PermissionError(message)
    return home
