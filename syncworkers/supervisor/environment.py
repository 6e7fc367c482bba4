"""What processes of the dev environment are told: addresses and secrets of simulated partners."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.supervisor.simulators import NAMES, SIMULATORS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, on loopback; simulated partners by their names."""

    gateway: int
    flower: int
    partners: Mapping[str, int]
    sftp: Mapping[str, int]
    """Where partners listen that exchange files."""


FILED = tuple(one.partner for one in SIMULATORS if one.speaks_sftp)
NOWHERE = Ports(gateway=9, flower=9, partners=dict.fromkeys(NAMES, 9), sftp=dict.fromkeys(FILED, 9))
"""The discard port: simulated partners that do not run refuse the connection."""


def sandbox_environment(ports: Ports) -> dict[str, str]:
    """Return what the partner files of the dev environment look for."""
    gateway = f"http://127.0.0.1:{ports.gateway}/webhooks"
    told: dict[str, str] = {}
    for one in SIMULATORS:
        address = f"http://127.0.0.1:{ports.partners[one.partner]}"
        sftp = ports.sftp.get(one.partner)
        told |= one.environment(address, f"{gateway}/{one.partner}", sftp)
    return told


def choose_ports(gateway: int | None = None, *, first: int = 0) -> Ports:
    """Choose free ports, from `first` on where it is given; the gateway's may be fixed."""
    taken: set[int] = set()

    def free(wanted: int) -> int:
        while True:
            port = _free_port(wanted, taken)
            taken.add(port)
            return port

    return Ports(
        gateway=gateway or free(0),
        flower=free(5555 if first else 0),
        partners={name: free(first and first + place) for place, name in enumerate(NAMES)},
        sftp={name: free(0) for name in FILED},
    )


def is_free(port: int) -> bool:
    """Say whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port(wanted: int, taken: set[int]) -> int:
    if not wanted:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])
    return next(port for port in range(wanted, 65536) if port not in taken and is_free(port))


def flower_password(folder: Path) -> str:
    """Return this checkout's password for Flower; made once, readable by its owner only."""
    place = folder / "flower-password"
    if not place.exists():
        place.touch(mode=0o600)
        place.write_text(secrets.token_urlsafe(16))
    return place.read_text().strip()
