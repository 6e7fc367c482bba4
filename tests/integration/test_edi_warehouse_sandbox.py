"""The simulated EDI warehouse answers in files, tells of parcels and misbehaves as it should."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
import requests

from syncworkers.sandbox.edi_warehouse.app import Warehouse, host_key
from syncworkers.sandbox.edi_warehouse.file_faults import FileFault, FilePlan
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
                with sftp.open(f"/outbound/{one}", "rb") as file:
                    body = file.read()
                if whole(body):
                    sftp.rename(f"/outbound/{one}", f"/archive/{one}")
                    self.bodies[one] = body
        return [one for body in self.bodies.values() for one in read(body).accepted()]

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


def test_an_order_is_acknowledged_shipped_and_delivered() -> None:
    with running() as customer:
        customer.drop(release())
        customer.rest()
        customer.acknowledge()
        until(lambda: set(customer.books["acknowledged"].values()) == {"A"})

        [answer] = customer.await_sets("997", 1)
        [advice] = customer.await_sets("945", 1)
        news = customer.await_sets("214", 3)
        books = customer.books
        progress = customer.ask("progress")

    assert elements(answer, "AK1") == [("OW", "1")]
    assert elements(answer, "AK9") == [("A", "1", "1", "1")]
    [order] = books["orders"]
    [shipment] = order["shipments"]
    assert elements(advice, "W06")[0][1] == REF
    assert elements(advice, "W06")[0][3] == shipment["id"] == "800100001"
    assert elements(advice, "W12") == [
        ("CC", "2", "2", "0", "EA", "", "VN", "SKU-A"),
        ("CC", "1", "1", "0", "EA", "", "VN", "SKU-B"),
    ]
    assert ("LI", "12") in elements(advice, "N9")
    assert ("2I", shipment["tracking_number"]) in elements(advice, "N9")
    assert elements(advice, "W03") == [("3", "2.7", "LB")]
    assert [elements(one, "AT7")[0][0] for one in news] == ["AF", "X6", "D1"]
    assert {elements(one, "B10")[0][1] for one in news} == {shipment["id"]}
    assert order["recipient"] == dict(
        zip(("name", "address1", "city", "state", "zip_code", "country"), MAIN, strict=True)
    )
    assert order["products"][0] == {"sku": "SKU-A", "quantity": 2, "external_line_id": "11"}
    assert (order["number"], order["shipping_method"]) == ("PO-77", "GROUND")
    assert (order["status"], shipment["status"]) == ("Fulfilled", "Completed")
    assert shipment["milestone"] == "Delivered"
    assert {key: progress[key] for key in ("orders", "open", "shipped_shipments", "delivered")} == {
        "orders": 1,
        "open": 0,
        "shipped_shipments": 1,
        "delivered": 1,
    }


def test_some_orders_leave_in_two_parcels() -> None:
    with running(partial_share=1.0) as customer:
        customer.drop(release(lines=(("SKU-A", "2"),)))

        first, second = customer.await_sets("945", 2)

    assert elements(first, "W12") == [("BP", "2", "1", "1", "EA", "", "VN", "SKU-A")]
    assert elements(second, "W12") == [("CC", "2", "1", "0", "EA", "", "VN", "SKU-A")]
    assert elements(first, "W06")[0][3] != elements(second, "W06")[0][3]


def test_advices_that_are_due_together_share_a_file() -> None:
    with running(autopilot=False) as customer:
        customer.drop(*(release(f"SO{number}") for number in range(3)))
        customer.await_sets("997", 1)
        for number in range(3):
            assert customer.tell(f"orders/SO{number}/ship") == 202
        customer.await_sets("945", 3)

    assert len([one for one in customer.bodies if one.startswith("945")]) in {1, 2}


def test_a_cancel_before_anything_left_is_answered_line_by_line() -> None:
    with running(autopilot=False) as customer:
        customer.drop(release())
        customer.drop(release(purpose="F"))

        [answer] = customer.await_sets("945", 1)
        books = customer.books

    assert [one[:4] for one in elements(answer, "W12")] == [
        ("IC", "2", "0", "2"),
        ("IC", "1", "0", "1"),
    ]
    assert books["orders"][0]["cancelled"] is True
    assert books["cancel_answers"] == {"Success": 1}


def test_a_cancel_after_something_left_changes_nothing() -> None:
    with running(autopilot=False) as customer:
        customer.drop(release())
        customer.await_sets("997", 1)
        customer.tell(f"orders/{REF}/ship", lines={"SKU-A": 1})
        customer.drop(release(purpose="F"))
        customer.drop(release(purpose="R", to=ELSEWHERE))
        customer.await_sets("997", 3)
        books = customer.books

    [order] = books["orders"]
    assert order["cancelled"] is False
    assert order["status"] == "PartiallyFulfilled"
    assert order["recipient"]["city"] == "Chicago"
    assert books["cancel_answers"] == {"Failure": 1}
    assert books["changes"] == {"ignored": 1}


def test_a_change_sends_it_elsewhere() -> None:
    with running(autopilot=False) as customer:
        customer.drop(release())
        customer.drop(release(purpose="R", to=ELSEWHERE))
        customer.await_sets("997", 2)
        customer.tell(f"orders/{REF}/ship")

        [advice] = customer.await_sets("945", 1)

    assert elements(advice, "N3") == [("2 Other Street",)]
    assert elements(advice, "N4") == [("Reno", "NV", "89501", "US")]


def test_the_same_interchange_again_is_dropped_and_acknowledged_again() -> None:
    with running(autopilot=False) as customer:
        customer.drop(release(), number=7)
        customer.drop(release(), number=7, name="again.edi")
        customer.await_sets("997", 2)
        customer.drop(release("SO1002-1"), number=7, name="other.edi")
        until(lambda: customer.books["reused_numbers"] == 1)
        customer.drop(release(), number=8)
        customer.await_sets("997", 3)
        books = customer.books

    assert books["duplicate_interchanges"] == 1
    assert books["duplicate_attempts"] == 1
    assert [one["reference"] for one in books["orders"]] == [REF]


def test_what_cannot_be_read_is_refused_and_the_rest_is_taken() -> None:
    with running(autopilot=False) as customer:
        body = written("940", [release(), release("SO2"), release("SO3", lines=())], 1)
        customer.leave(body.replace(b"W01*2*EA", b"W01*x*EA", 1))

        [answer] = customer.await_sets("997", 1)
        books = customer.books

    assert [one[0] for one in elements(answer, "AK5")] == ["R", "A", "R"]
    assert elements(answer, "AK3") == [("W01", "8", "", "8"), ("W01", "7", "", "3")]
    assert elements(answer, "AK4") == [("1", "", "7", "x")]
    assert elements(answer, "AK9") == [("P", "3", "3", "1")]
    assert [one["reference"] for one in books["orders"]] == ["SO2"]


def test_a_rejected_order_is_not_taken_until_it_comes_again() -> None:
    with running(autopilot=False) as customer:
        assert customer.tell(f"orders/{REF}/reject") == 202
        customer.drop(release())
        customer.await_sets("997", 1)
        refused = customer.books["orders"]
        customer.drop(release())
        customer.await_sets("997", 2)
        books = customer.books

    assert refused == []
    assert len(books["orders"]) == 1
    assert books["faults"] == {"file.reject": 1}


def test_what_is_still_being_dropped_is_left_alone() -> None:
    with running(autopilot=False) as customer:
        body = written("940", [release()], 1)
        inbound = customer.warehouse.folder / "inbound"
        (inbound / "ow.edi").write_bytes(body[:200])
        (inbound / "b.part").write_bytes(body)
        threading.Event().wait(0.1)
        before = customer.books["orders"]
        (inbound / "ow.edi").write_bytes(body)
        customer.await_sets("997", 1)

        left = [one.name for one in inbound.iterdir()]
        busy = customer.ask("progress")["busy"]

    assert before == []
    assert left == ["b.part"]
    assert busy is False


def test_short_and_substituted_goods_are_told_as_such() -> None:
    with running(autopilot=False) as customer:
        customer.drop(release(), release("SO2"), release("SO3"))
        customer.await_sets("997", 1)
        customer.tell(f"orders/{REF}/short", lines={"SKU-A": 1, "SKU-B": 1})
        customer.tell("orders/SO2/substitute", lines={"SKU-A": "SKU-Z"})
        customer.tell("orders/SO3/hold")
        advices = customer.await_sets("945", 2)
        books = customer.books

    told = [[(one[0], one[2], one[7]) for one in elements(each, "W12")] for each in advices]
    assert told == [
        [("CP", "1", "SKU-A"), ("DS", "0", "SKU-B")],
        [("CS", "2", "SKU-Z"), ("CC", "1", "SKU-B")],
    ]
    lines = [one["shipments"][0]["lines"] for one in books["orders"]]
    assert [(one["sku"], one["quantity"], one["sent_sku"]) for one in lines[1]] == [
        ("SKU-A", 2, "SKU-Z"),
        ("SKU-B", 1, "SKU-B"),
    ]
    assert [one["quantity"] for one in lines[0]] == [1]
    assert books["orders"][2]["shipments"][0]["status"] == "OnHold"


def test_by_hand_it_sends_all_else_that_warehouses_send() -> None:
    with running(autopilot=False) as customer:
        customer.tell("orders/foreign", sku="SKU-F", reference="NOT-OURS")
        [advice] = customer.await_sets("945", 1)
        shipment = elements(advice, "W06")[0][3]
        customer.tell("adjust", sku="SKU-F", units=-3, reason="06")
        customer.tell("receive", lines={"SKU-F": 98}, damaged={"SKU-F": 2}, reference="TO-300")
        customer.tell("invoice", shipment=shipment)
        customer.tell("snapshot")
        customer.tell(f"shipments/{shipment}/milestone", status="AP")
        sets = {
            code: customer.await_sets(code, 1)[0]
            for code in ("947", "944", "810", "210", "846", "214")
        }
        findings = [one for body in customer.bodies.values() for one in read(body).findings]

    assert findings == []
    assert elements(sets["947"], "W19") == [("06", "-3", "EA", "", "VN", "SKU-F")]
    assert elements(sets["944"], "W14") == [("98", "100", "2")]
    assert elements(sets["810"], "TDS") == [("235",)]
    assert elements(sets["210"], "B3")[0][6] == elements(sets["210"], "L3")[0][4] == "1140"
    assert len(elements(sets["846"], "LIN")) * 2 == len(elements(sets["846"], "QTY"))
    assert elements(sets["214"], "AT7")[0][0] == "AP"


ON_ADVICES = sorted(set(FileFault) - {FileFault.REJECT, FileFault.LATE_ACK, FileFault.MISSING_ACK})


@pytest.mark.parametrize("fault", ON_ADVICES)
def test_what_a_fault_breaks_is_made_good(fault: FileFault) -> None:
    with running(autopilot=False) as customer:
        customer.drop(release(), release("SO2"))
        customer.await_sets("997", 1)
        customer.tell("files", next=[fault.value])
        customer.tell(f"orders/{REF}/ship")
        customer.tell("orders/SO2/ship")
        customer.rest()
        books = customer.books
        advices = [one for one in customer.collect() if one.code == "945"]

    shipped = {one["shipments"][0]["id"] for one in books["orders"]}
    assert {elements(one, "W06")[0][3] for one in advices} == shipped
    assert len(shipped) == 2
    assert books["faults"] == {f"file.{fault.value}": 1}
    assert books["unwritable_files"] == 0


def test_a_late_acknowledgement_comes_after_all() -> None:
    with running(autopilot=False) as customer:
        customer.tell("files", next=["late_ack", "missing_ack"])
        customer.drop(release())
        customer.drop(release("SO2"))
        answers = customer.await_sets("997", 1)
        customer.rest()
        faults = customer.books["faults"]

    assert len(answers) == 1
    assert faults == {"file.late_ack": 1, "file.missing_ack": 1}


@pytest.mark.parametrize("fault", ["cut", "refuse_rename", "refuse_login"])
def test_a_session_goes_wrong_once(fault: str) -> None:
    with running(autopilot=False) as customer:
        customer.tell("files", next=[fault])
        with pytest.raises((paramiko.SSHException, EOFError, OSError)):
            customer.leave(written("940", [release()] * 9, 5), "first.edi")
        customer.leave(written("940", [release()], 6), "second.edi")
        customer.await_sets("997", 1)
        books = customer.books

    assert books["faults"] == {f"file.{fault}": 1}
    assert books["calls_by_operation"]["write"] >= 1
    assert len(books["orders"]) == 1


def test_a_spell_keeps_everybody_out() -> None:
    with running(autopilot=False) as customer:
        assert customer.tell("faults", spell={"outage": 0.3}) == 200
        with pytest.raises((paramiko.SSHException, EOFError, OSError)):
            customer.collect()
        threading.Event().wait(0.4)

        assert customer.collect() == []
        assert customer.tell("faults", spell={"flood": 1}) == 400
        assert customer.tell("files", next=["nonsense"]) == 400


@pytest.mark.parametrize("level", ["normal", "storm"])
def test_whatever_goes_wrong_nothing_is_missing_in_the_end(level: str) -> None:
    with running(level, seed=3, partial_share=0.3) as customer:
        for number in range(12):
            persistent(lambda number=number: customer.drop(release(f"SO{number}")))
        until(lambda: len(customer.books["orders"]) == 12)
        until(lambda: persistent(customer.collect) and not customer.ask("progress")["busy"], 60.0)
        books, sets = customer.books, customer.collect()

    shipments = [one for order in books["orders"] for one in order["shipments"]]
    told = {elements(one, "W06")[0][3] for one in sets if one.code == "945"}
    assert told == {one["id"] for one in shipments}
    delivered = {
        elements(one, "B10")[0][1]
        for one in sets
        if elements(one, "AT7")[:1] and elements(one, "AT7")[0][0] == "D1"
    }
    assert delivered == told
    answered = {elements(one, "AK1")[0] for one in sets if one.code == "997"}
    assert len(answered) == 12
    assert len(books["faults"]) >= 6


def persistent(act: Callable[[], Any]) -> bool:
    """Try again where a session went wrong."""
    for _ in range(20):
        try:
            act()
        except (paramiko.SSHException, EOFError, OSError):
            continue
        return True
    return False


def test_its_folder_is_gone_when_it_is_closed() -> None:
    with running() as customer:
        folder = customer.warehouse.folder
        assert sorted(one.name for one in folder.iterdir()) == ["archive", "inbound", "outbound"]

    assert not folder.exists()


def test_the_counts_of_stock_come_by_themselves_and_keep_nobody_busy() -> None:
    _, key = make_key()
    warehouse = Warehouse(
        FilePlan(level="none", seed=1),
        ROUTE,
        user="syncworkers",
        public_key=line(key),
        host_key=host_key(HOST_SEED),
        habits=Habits(pace=0.01),
    )
    try:
        until(lambda: warehouse.outbox.uncollected("846"))
        threading.Event().wait(0.3)

        assert len(warehouse.outbox.uncollected("846")) == 1
        assert warehouse.busy is False
    finally:
        warehouse.close()
