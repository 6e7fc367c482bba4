"""A running simulated EDI warehouse, and a customer of it with a plain SFTP client."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import paramiko
import requests

from syncworkers.sandbox.edi_warehouse.app import Warehouse, host_key
from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
from syncworkers.sandbox.edi_warehouse.floor import Habits
from syncworkers.sandbox.edi_warehouse.outbox import Route
from syncworkers.x12.acknowledge import acknowledge
from syncworkers.x12.errors import X12Error
from syncworkers.x12.read import read
from syncworkers.x12.segments import Segment, TransactionSet, segment
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet, write
from tests.connectors.sftp_running import line, make_key
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST_SEED = "5a" * 32
ROUTE = Route(sender="EXAMPLEWH", receiver="EXAMPLECO", usage="T")
PACE = 0.05
MAIN = ("Jane Roe", "1 Main Street", "Chicago", "IL", "60601", "US")
ELSEWHERE = ("Jane Roe", "2 Other Street", "Reno", "NV", "89501", "US")
REF = "SO1001-1"


def release(
    reference: str = REF,
    purpose: str = "N",
    lines: tuple[tuple[str, str], ...] = (("SKU-A", "2"), ("SKU-B", "1")),
    to: tuple[str, ...] = MAIN,
) -> list[Segment]:
    name, street, *town = to
    found = [
        segment("W05", purpose, reference, "PO-77"),
        segment("N1", "ST", name, "92", "C-500"),
        segment("N3", street),
        segment("N4", *town),
        segment("W66", "PP", "U", "", "", "GROUND", "", "", "", "", "FDEG"),
    ]
    for number, (sku, quantity) in enumerate(lines, start=1):
        found += [
            segment("LX", str(number)),
            segment("W01", quantity, "EA", "", "VN", sku),
            segment("N9", "LI", f"1{number}"),
        ]
    return found


class Customer:
    """Who drops orders and collects what the warehouse left, with a plain SFTP client."""

    def __init__(self, warehouse: Warehouse, key: paramiko.PKey, url: str) -> None:
        self.warehouse = warehouse
        self.url = url
        self._key = key
        self._number = 0
        self.bodies: dict[str, bytes] = {}
        self.refused: list[str] = []

    @contextmanager
    def session(self) -> Iterator[paramiko.SFTPClient]:
        transport = paramiko.Transport(("127.0.0.1", self.warehouse.server.port))
        try:
            transport.connect(username="syncworkers", pkey=self._key)
            sftp = paramiko.SFTPClient.from_transport(transport)
            assert sftp is not None
            yield sftp
        finally:
            transport.close()

    def drop(self, *sets: list[Segment], number: int = 0, name: str = "") -> str:
        self._number += 1
        return self.leave(written("940", sets, number or self._number), name)

    def leave(self, body: bytes, name: str = "") -> str:
        name = name or f"ow-{self._number:09}.edi"
        with self.session() as sftp:
            with sftp.open(f"/inbound/.{name}.part", "wb") as file:
                file.write(body)
            sftp.rename(f"/inbound/.{name}.part", f"/inbound/{name}")
        return name

    def collect(self) -> list[TransactionSet]:
        """Take what is whole, acknowledge it, and return all sets that were ever collected."""
        with self.session() as sftp:
            for one in sorted(sftp.listdir("/outbound")):
                if one.startswith("."):
                    continue
                # What is no good the warehouse takes back, perhaps right now.
                with suppress(FileNotFoundError):
                    self._take(sftp, one)
        return [one for body in self.bodies.values() for one in read(body).accepted()]

    def _take(self, sftp: paramiko.SFTPClient, name: str) -> None:
        with sftp.open(f"/outbound/{name}", "rb") as file:
            body = file.read()
        if whole(body):
            sftp.rename(f"/outbound/{name}", f"/archive/{name}")
            self.bodies[name] = body

    def acknowledge(self) -> None:
        """Answer every group that was collected."""
        answers = [
            list(answer.segments)
            for body in self.bodies.values()
            for interchange in read(body).interchanges
            for group in interchange.groups
            if (answer := acknowledge(group, "0001")) is not None
        ]
        self._number += 1
        self.leave(written("997", answers, self._number), f"fa-{self._number}.edi")

    def await_sets(self, code: str, count: int) -> list[TransactionSet]:
        until(lambda: len([one for one in self.collect() if one.code == code]) >= count)
        return [one for one in self.collect() if one.code == code]

    def rest(self) -> None:
        """Collect until the warehouse has nothing more to do."""
        until(lambda: self.collect() is not None and not self.ask("progress")["busy"])

    def ask(self, what: str) -> dict[str, Any]:
        answer = requests.request("GET", f"{self.url}/_sandbox/{what}", timeout=5)
        return answer.json()  # type: ignore[no-any-return]

    def tell(self, what: str, **given: Any) -> int:
        address = f"{self.url}/_sandbox/{what}"
        return requests.request("POST", address, json=given, timeout=5).status_code

    @property
    def books(self) -> dict[str, Any]:
        return self.ask("books")


def written(code: str, sets: Any, number: int) -> bytes:
    group = OutGroup(
        functional_id={"940": "OW", "997": "FA"}[code],
        sender=ROUTE.receiver,
        receiver=ROUTE.sender,
        control_number=number,
        sets=tuple(
            OutSet(code=code, control_number=f"{place:04}", segments=tuple(one))
            for place, one in enumerate(sets, start=1)
        ),
    )
    interchange = OutInterchange(
        sender_qualifier="ZZ",
        sender=ROUTE.receiver,
        receiver_qualifier="ZZ",
        receiver=ROUTE.sender,
        control_number=number,
        at=dt.datetime(2026, 11, 23, 9, 5, tzinfo=dt.UTC),
        groups=(group,),
        usage="T",
    )
    return write(interchange)


def whole(body: bytes) -> bool:
    try:
        read(body)
    except X12Error as error:
        assert error.code == "x12.incomplete", error
        return False
    return True


def until(done: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.02)


@contextmanager
def running(level: str = "none", seed: int = 1, **habits: Any) -> Iterator[Customer]:
    told = {"seed": seed, "pace": PACE, "partial_share": 0.0, **habits}
    _, key = make_key()
    warehouse = Warehouse(
        FilePlan(level=level, seed=seed),
        ROUTE,
        user="syncworkers",
        public_key=line(key),
        host_key=host_key(HOST_SEED),
        habits=Habits(**told),
        snapshot_every=0.0,
    )
    try:
        with serving(warehouse.program) as url:
            yield Customer(warehouse, key, url)
    finally:
        warehouse.close()


def elements(found: TransactionSet, tag: str) -> list[tuple[str, ...]]:
    return [one.elements for one in found.segments if one.tag == tag]


def persistent(act: Callable[[], Any]) -> bool:
    """Try again where a session went wrong."""
    for _ in range(20):
        try:
            act()
        except (paramiko.SSHException, EOFError, OSError):
            continue
        return True
    return False
