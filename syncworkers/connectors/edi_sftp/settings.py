"""What a partner file of an EDI warehouse must say under `[connection]`, checked at the start."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import paramiko

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.ledger import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = (
    *("host", "user", "private_key", "host_keys", "pickup", "drop", "archive"),
    *("sender", "receiver", "usage"),
)
_DEFAULTS: Mapping[str, Any] = {
    "port": 22,
    "done_marker": "",
    "stable_seconds": 10,
    "sender_qualifier": "ZZ",
    "receiver_qualifier": "ZZ",
    "group_sender": "",
    "group_receiver": "",
    "version": "004010",
    "delimiters": "*~>",
    "zone": "UTC",
    "acknowledged_within": 4 * 3600,
    "answered_within": 24 * 3600,
    "profile": {},
    "rules": {},
}
_KEY_LINE = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}(?: .*)?")
HOST_KEYS = 2
"""The present host key, and while it is rotated the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One SFTP account of a warehouse, and how interchanges are addressed there.

    `host_keys` are (type, base64) pairs; folders are paths as our account sees them.
    """

    host: str
    port: int
    user: str
    private_key: paramiko.PKey = field(repr=False)
    host_keys: tuple[tuple[str, str], ...]
    pickup: PurePosixPath
    drop: PurePosixPath
    archive: PurePosixPath
    done_marker: str
    """Ending of the file that says another one is whole; empty where there are none."""
    stable_seconds: float
    sender_qualifier: str
    receiver_qualifier: str
    group_sender: str
    group_receiver: str
    version: str
    delimiters: Delimiters
    zone: str
    acknowledged_within: float
    """Seconds until a missing 997 is overdue."""
    answered_within: float
    """Seconds until a cancel that nobody answered is for a person."""
    route: Route


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    for key in connection:
        if key not in {*_REQUIRED, *_DEFAULTS}:
            known = ", ".join(sorted({*_REQUIRED, *_DEFAULTS}))
            raise _wrong(partner, key, f"is not known; known are {known}")
    for key in _REQUIRED:
        if connection.get(key) in (None, "", []):
            raise _wrong(partner, key, 'is missing: give a text, or { env = "NAME" }')
    given = {**_DEFAULTS, **connection}
    sender, receiver = str(given["sender"]), str(given["receiver"])
    return Settings(
        host=str(given["host"]),
        port=_number(partner, given, "port", 65_535),
        user=str(given["user"]),
        private_key=_private_key(partner, str(given["private_key"])),
        host_keys=_host_keys(partner, given["host_keys"]),
        pickup=PurePosixPath(given["pickup"]),
        drop=PurePosixPath(given["drop"]),
        archive=PurePosixPath(given["archive"]),
        done_marker=str(given["done_marker"]),
        stable_seconds=float(given["stable_seconds"]),
        sender_qualifier=str(given["sender_qualifier"]),
        receiver_qualifier=str(given["receiver_qualifier"]),
        group_sender=str(given["group_sender"]) or sender,
        group_receiver=str(given["group_receiver"]) or receiver,
        version=str(given["version"]),
        delimiters=_delimiters(partner, str(given["delimiters"])),
        zone=str(given["zone"]),
        acknowledged_within=float(given["acknowledged_within"]),
        answered_within=float(given["answered_within"]),
        route=Route(
            partner=partner,
            sender=f"{given['sender_qualifier']}/{sender}",
            receiver=f"{given['receiver_qualifier']}/{receiver}",
            usage=_usage(partner, str(given["usage"])),
        ),
    )


def _wrong(partner: str, key: str, remedy: str) -> ValueError:
    return ValueError(f"config/partners/{partner}.toml: [connection] {key} {remedy}")


def _number(partner: str, given: Mapping[str, Any], key: str, limit: int) -> int:
    text = str(given[key])
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= limit:
        raise _wrong(partner, key, f"must be a whole number from 1 to {limit}")
    return int(text)


def _usage(partner: str, usage: str) -> str:
    if usage not in {"P", "T"}:
        raise _wrong(partner, "usage", "must be P (production) or T (test): ISA15")
    return usage


def _delimiters(partner: str, text: str) -> Delimiters:
    if len(text) != 3 or len(set(text)) != 3 or any(one.isalnum() for one in text):
        raise _wrong(
            partner,
            "delimiters",
            'must be three different signs: element, segment, component: "*~>"',
        )
    return Delimiters(element=text[0], segment=text[1], component=text[2])


def _private_key(partner: str, text: str) -> paramiko.PKey:
    r"""Read an OpenSSH or PEM key; what is wrong is said without a word of it.

    Line ends may be written as `\n`: many an environment takes a single line only.
    """
    text = text.replace("\\n", "\n")
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise _wrong(
        partner,
        "private_key",
        "cannot be read: give the text of an Ed25519, ECDSA or RSA key without a passphrase",
    ) from None


def _host_keys(partner: str, lines: object) -> tuple[tuple[str, str], ...]:
    listed = lines.splitlines() if isinstance(lines, str) else lines
    if not isinstance(listed, list | tuple) or not 0 < len(listed) <= HOST_KEYS:
        raise _wrong(partner, "host_keys", "must be one line, or two while the key is rotated")
    found = []
    for line in listed:
        if not isinstance(line, str) or not _KEY_LINE.fullmatch(line.strip()):
            raise _wrong(
                partner, "host_keys", "must be lines as ssh-keyscan prints them: type and key"
            )
        kind, key = line.split()[:2]
        found.append((kind, key))
    return tuple(found)
