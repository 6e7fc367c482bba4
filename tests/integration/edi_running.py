"""A warehouse's folder beside a world, worked by the test itself: raw files in, raw files out."""

from __future__ import annotations

import datetime as dt
import io
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncworkers.flows.deliver import deliver_due
from syncworkers.flows.pickup import pick_up
from syncworkers.sandbox.edi_warehouse.sftp_server import SftpServer
from syncworkers.supervisor.simulators import SIMULATORS
from syncworkers.x12.read import read
from syncworkers.x12.segments import segment
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet, write
from tests.integration import world as whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pytest

    from syncworkers.servers import Servers
    from syncworkers.x12.segments import Segment, TransactionSet
    from tests.integration.world import World

HARBOR = "harbor-east"
SIMULATED = next(one for one in SIMULATORS if one.partner == HARBOR)
OVERLAY = """
[partners.harbor-east.connection]
stable_seconds = 0

[partners.harbor-east.poll]
every = "0.01s"

[partners.harbor-east.lane]
gather_ms = 0
work_budget = "5s"
call_deadline = "5s"
backoff_first = "0.05s"
backoff_limit = "0.2s"
max_attempts = 30
"""


@dataclass
class Harbor:
    """The world, and the folder of its legacy warehouse."""

    world: World
    server: SftpServer
    _number: int = field(default=0)

    def leave(self, *groups: OutGroup, number: int | None = None, name: str = "") -> bytes:
        """Leave a file with these groups for us, under the next number; return its bytes."""
        self._number = self._number + 1 if number is None else number
        body = letter(self._number, *groups)
        self.put(name or f"in-{self._number}.edi", body)
        return body

    def put(self, name: str, body: bytes) -> None:
        """Leave any bytes for us."""
        (self.server.folder / "outbound" / name).write_bytes(body)

    def hear(self) -> None:
        """Have files picked up, twice so that they are seen to be stable, and all work done."""
        self.pick_up()
        self.settle()

    def pick_up(self) -> None:
        """Look into the folder twice, each in a turn of its own."""
        for _ in range(2):
            threading.Event().wait(0.02)
            pick_up(self.world.fleet, HARBOR)

    def settle(self) -> None:
        """Work until nothing is left to do, at this warehouse too."""
        deliver_due(self.world.fleet, HARBOR)
        self.world.settle()

    def sent(self, code: str = "") -> list[TransactionSet]:
        """Read what we left there, in order, of one kind of document or all."""
        files = sorted((self.server.folder / "inbound").iterdir(), key=lambda one: one.name[-13:])
        found = [one for file in files for one in read(file.read_bytes()).accepted()]
        return [one for one in found if code in {"", one.code}]

    def cases(self) -> list[tuple[str, str]]:
        """Return code and text of the open cases."""
        question = "SELECT code, error FROM exception_case WHERE state = 'open' ORDER BY id"
        return [tuple(one) for one in self.world.rows(question)]


def letter(number: int, *groups: OutGroup, usage: str = "T") -> bytes:
    """Write a file as the warehouse does."""
    return write(
        OutInterchange(
            sender_qualifier="ZZ",
            sender="EXAMPLEWH",
            receiver_qualifier="ZZ",
            receiver="EXAMPLECO",
            control_number=number,
            at=dt.datetime.now(dt.UTC),
            usage=usage,
            groups=groups,
        )
    )


def group(functional_id: str, number: int, *documents: tuple[str, Sequence[Segment]]) -> OutGroup:
    """Group documents, each a code and its segments."""
    return OutGroup(
        functional_id=functional_id,
        sender="EXAMPLEWH",
        receiver="EXAMPLECO",
        control_number=number,
        sets=tuple(
            OutSet(code=code, control_number=f"{place:04}", segments=tuple(segments))
            for place, (code, segments) in enumerate(documents, start=1)
        ),
    )


def fate(number: int, place: int = 1, *, refused: bool = False) -> tuple[str, list[Segment]]:
    """Write a 997 about one 940 of ours."""
    wrong = [segment("AK3", "N4", "5", "", "8"), segment("AK4", "2", "", "7", "ZZ")]
    verdict = segment("AK5", "R", "5") if refused else segment("AK5", "A")
    return "997", [
        segment("AK1", "OW", str(number)),
        segment("AK2", "940", f"{place:04}"),
        *(wrong if refused else []),
        verdict,
        segment("AK9", "R" if refused else "A", "1", "1", "0" if refused else "1"),
    ]


def advice(
    reference: str,
    shipment: str,
    *lines: tuple[int, str, int, int, str],
    reporting: str = "F",
    tracking: str = "",
) -> tuple[str, list[Segment]]:
    """Write a 945; each line is its number, the status, ordered, shipped and the SKU."""
    told = [
        segment("W06", reporting, reference, "20261124", shipment),
        segment("N9", "2I", tracking or f"TRK-{shipment}"),
        segment("W27", "U", "FDEG", "GROUND"),
    ]
    for place, (number, status, ordered, shipped, sku) in enumerate(lines, start=1):
        rest = str(ordered - shipped) if ordered > shipped else ""
        counts = (status, str(ordered), str(shipped), rest, "EA", "", "VN", sku)
        told += [
            segment("LX", str(place)),
            segment("W12", *counts),
            segment("N9", "LI", str(number)),
        ]
    total = sum(shipped for _, _, _, shipped, _ in lines)
    return "945", [*told, segment("W03", str(total))]


def release(edi: Harbor) -> tuple[dict[str, Any], str, list[tuple[int, str, int]]]:
    """Bring an order of several units there; return it, its reference and (number, SKU, units)."""
    kept = edi.world.fleet.policy.fulfilment.warehouses["harbor-east"].items
    while True:
        order = edi.world.order()
        lines = [(one["sku"], one["quantity"]) for one in order["line_items"]]
        units = sum(count for _, count in lines)
        if len(lines) > 1 and units > 2 and all(sku in kept for sku, _ in lines):
            break
    edi.world.webhook("orders/create", order)
    edi.settle()
    numbered = [(number, sku, count) for number, (sku, count) in enumerate(lines, start=1)]
    return order, f"shopify-us-{order['id']}-1", numbered


def part(edi: Harbor, reference: str) -> Any:
    """Return how far we know the part to be."""
    return edi.world.ask("SELECT state FROM order_part WHERE reference = :it", it=reference)


def shipped(edi: Harbor, order: dict[str, Any]) -> int:
    """Return how many units the store was told of, checking that the ERP knows as many."""
    (there,) = [one for one in edi.world.sold() if str(one["id"]) == str(order["id"])]
    told = sum(line["quantity"] for one in there["fulfillments"] for line in one["lines"])
    (booked,) = [one for one in edi.world.booked() if one["reference"].endswith(f"/{order['id']}")]
    posted = sum(int(float(line["quantity"])) for one in booked["slips"] for line in one["lines"])
    assert told == posted
    return int(told)


@contextmanager
def harbor(
    servers: Servers, folder: Path, environ: pytest.MonkeyPatch, *, routed: bool = True
) -> Iterator[Harbor]:
    """Start a world whose store's orders all leave from the legacy warehouse, if `routed`."""
    server = SftpServer(
        folder / "harbor",
        user=SIMULATED.secrets["USER"],
        public_key=SIMULATED.keys["public_key"],
        host_key=host_key(SIMULATED.keys["host_seed"]),
    )
    rules = f'[[rules]]\nstores = ["shopify-us"]\nnodes = ["{HARBOR}"]\n' if routed else ""

    def prepare(config: Path) -> None:
        (config / "routing.toml").write_text(rules)

    environ.setattr(whole, "SFTP", {HARBOR: server.port})
    told: dict[str, Any] = {"overlay": whole.QUICK + OVERLAY, "prepare": prepare}
    try:
        with whole.world(
            servers.database_url, servers.redis_url, folder, environ, **told
        ) as started:
            yield Harbor(started, server)
    finally:
        server.close()


def host_key(seed: str) -> paramiko.PKey:
    """Make the key of the simulated server from its seed."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text.decode()))
