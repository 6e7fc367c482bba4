"""What processes of the dev environment are told: addresses and secrets of simulated partners."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {
    "SHOPIFY_US_CLIENT_ID": "sandbox-shopify-us",
    "SHOPIFY_US_CLIENT_SECRET": "sandbox-secret-of-shopify-us",
    "D365_MAIN_CLIENT_ID": "sandbox-d365-main",
    "D365_MAIN_CLIENT_SECRET": "sandbox-secret-of-d365-main",
    "D365_MAIN_EVENT_SECRET": "sandbox-path-of-d365-main",
    "SHIPBOB_WEST_TOKEN": "sandbox-token-of-shipbob-west",
    "SHIPBOB_WEST_CHANNEL_ID": "101",
    "SHIPBOB_WEST_WEBHOOK_SECRET": "whsec_c2FuZGJveHNlY3JldG9mc2hpcGJvYnVz",
}
"""Secrets of simulated partners on loopback: they guard nothing, and say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, on loopback."""

    gateway: int
    flower: int
    shopify: int
    dynamics365: int
    shipbob: int


def sandbox_environment(ports: Ports) -> dict[str, str]:
    """Return what the partner files of the dev environment look for."""
    return {
        **SECRETS,
        "SHOPIFY_US_URL": f"http://127.0.0.1:{ports.shopify}",
        "D365_MAIN_URL": f"http://127.0.0.1:{ports.dynamics365}",
        "D365_MAIN_TOKEN_URL": f"http://127.0.0.1:{ports.dynamics365}/sandbox/oauth2/v2.0/token",
        "SHIPBOB_WEST_URL": f"http://127.0.0.1:{ports.shipbob}",
        "SHIPBOB_WEST_WEBHOOK_URL": f"http://127.0.0.1:{ports.gateway}/webhooks/shipbob-west",
    }


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
        shopify=free(first),
        dynamics365=free(first and first + 1),
        shipbob=free(first and first + 2),
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
