"""The simulated partners of the dev environment: who there is, and what they and we are told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_CLIENT = "--client-id {CLIENT_ID} --client-secret {CLIENT_SECRET}"
_WORDS = {
    "shopify": f"--webhook-url {{hook}} {_CLIENT}",
    "dynamics365": f"--event-url {{hook}}/{{EVENT_SECRET}} {_CLIENT}",
    "shipbob": "--token {TOKEN} --channel-id {CHANNEL_ID}",
    "adobe_commerce": f"--event-url {{hook}} {_CLIENT}"
    " --consumer-key {CONSUMER_KEY} --consumer-secret {CONSUMER_SECRET}"
    " --access-token {ACCESS_TOKEN} --access-token-secret {ACCESS_TOKEN_SECRET}",
    "edi_warehouse": "--sftp-port {sftp} --user {USER} --public-key {public_key}"
    " --host-key {host_seed} --receiver EXAMPLECO --sender EXAMPLEWH --usage {USAGE}",
}
"""By kind: the arguments of its module."""
_ADDRESSES = {
    "dynamics365": {"TOKEN_URL": "{address}/sandbox/oauth2/v2.0/token"},
    "shipbob": {"WEBHOOK_URL": "{hook}"},
    "shopify": {"WEBHOOK_URL": "{hook}"},
}
"""By kind: addresses beside its own, by the ending of the variable that holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One simulated partner.

    `secrets` are by the ending of the environment variable that holds them; they guard nothing, and
    say so. `words` are arguments of its own. `share` is how many of the demo's orders it sells,
    beside the other stores.
    """

    partner: str
    kind: str
    role: str
    secrets: Mapping[str, str]
    words: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    """What only the simulator is told."""
    share: int = 0
    paced: bool = True
    """It has people, whose hurry `--pace` scales."""

    def variable(self, ending: str) -> str:
        """Name the environment variable of a setting of this partner."""
        return f"{self.partner.upper().replace('-', '_')}_{ending}"

    def command(self, hook: str, sftp: int | None = None) -> tuple[str, ...]:
        """Return its module and arguments.

        `hook` is where its messages to us go, `sftp` where it listens for files.
        """
        told = {"hook": hook, "sftp": sftp, **self.secrets, **self.keys}
        words = [word.format(**told) for word in _WORDS[self.kind].split()]
        return (f"syncworkers.sandbox.{self.kind}", *words, *self.words)

    @property
    def speaks_sftp(self) -> bool:
        """Say whether it listens for files."""
        return "{sftp}" in _WORDS[self.kind]

    def environment(self, address: str, hook: str, sftp: int | None = None) -> dict[str, str]:
        """Return what its partner file looks for in the environment."""
        more = {
            ending: template.format(address=address, hook=hook)
            for ending, template in _ADDRESSES.get(self.kind, {}).items()
        }
        told = {"URL": address, **self.secrets, **more}
        if sftp is not None:
            told |= {"HOST": "127.0.0.1", "PORT": str(sftp)}
        return {self.variable(ending): value for ending, value in told.items()}


def _shopify(partner: str, shop: str, *words: str, share: int) -> Simulator:
    return Simulator(
        partner=partner,
        kind="shopify",
        role="store",
        secrets={
            "CLIENT_ID": f"sandbox-{partner}",
            "CLIENT_SECRET": f"sandbox-secret-of-{partner}",
        },
        words=("--shop", shop, *words),
        share=share,
        paced=False,
    )


def _shipbob(partner: str, channel: int, *words: str) -> Simulator:
    return Simulator(
        partner=partner,
        kind="shipbob",
        role="warehouse",
        secrets={
            "TOKEN": f"sandbox-token-of-{partner}",
            "CHANNEL_ID": str(channel),
            "WEBHOOK_SECRET": "whsec_c2FuZGJveHNlY3JldG9mc2hpcGJvYnVz",
        },
        words=words,
    )


def _edi_warehouse(partner: str) -> Simulator:
    seed = hashlib.sha256(f"sandbox-host-of-{partner}".encode())
    ours = hashlib.sha256(f"sandbox-key-for-{partner}".encode())
    private = Ed25519PrivateKey.from_private_bytes(ours.digest())
    text = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return Simulator(
        partner=partner,
        kind="edi_warehouse",
        role="warehouse",
        secrets={
            "USER": "syncworkers",
            "PRIVATE_KEY": text.replace("\n", "\\n"),
            "HOST_KEYS": _public(Ed25519PrivateKey.from_private_bytes(seed.digest())),
            "USAGE": "T",
        },
        keys={"public_key": _public(private), "host_seed": seed.hexdigest()},
    )


def _public(key: Ed25519PrivateKey) -> str:
    """Write the public half as ssh-keyscan does."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


SHOP = "acme-us.myshopify.com"
SIMULATORS = (
    _shopify("shopify-us", SHOP, share=3),
    _shopify("shopify-eu", "lumen-eu.myshopify.com", "--market", "eu", share=1),
    Simulator(
        partner="adobe-eu",
        kind="adobe_commerce",
        role="store",
        secrets={
            "CLIENT_ID": "sandbox-adobe-eu",
            "CLIENT_SECRET": "sandbox-secret-of-adobe-eu",
            "CONSUMER_KEY": "sandbox-consumer-of-adobe-eu",
            "CONSUMER_SECRET": "sandbox-consumer-secret-of-adobe-eu",
            "ACCESS_TOKEN": "sandbox-token-of-adobe-eu",
            "ACCESS_TOKEN_SECRET": "sandbox-token-secret-of-adobe-eu",
        },
        share=1,
        paced=False,
    ),
    Simulator(
        partner="d365-main",
        kind="dynamics365",
        role="erp",
        secrets={
            "CLIENT_ID": "sandbox-d365-main",
            "CLIENT_SECRET": "sandbox-secret-of-d365-main",
            "EVENT_SECRET": "sandbox-path-of-d365-main",
        },
        words=("--company", "usmf", "--company", "demf"),
    ),
    _shipbob("shipbob-west", 101),
    _shipbob("shipbob-east", 102),
    _shipbob("shipbob-eu", 103),
    _edi_warehouse("harbor-east"),
)
NAMES: Sequence[str] = tuple(one.partner for one in SIMULATORS)
SECRETS: Mapping[str, str] = {
    one.variable(ending): value for one in SIMULATORS for ending, value in one.secrets.items()
}
