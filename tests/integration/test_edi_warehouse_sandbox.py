"""The simulated EDI warehouse answers in files and tells of parcels as it should."""

from __future__ import annotations

import threading

from syncworkers.connectors.base import Deadline
from syncworkers.connectors.edi_sftp.collecting import collect
from syncworkers.connectors.edi_sftp.drop import drop
from syncworkers.connectors.edi_sftp.session import opened
from syncworkers.connectors.edi_sftp.settings import read_settings
from syncworkers.connectors.files import Collected, Seen
from syncworkers.sandbox.edi_warehouse.app import Warehouse, host_key
from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
from syncworkers.sandbox.edi_warehouse.floor import Habits
from syncworkers.x12.read import read
from tests.connectors.sftp_running import connection, line, make_key
from tests.integration.edi_warehouse_running import (
    ELSEWHERE,
    HOST_SEED,
    MAIN,
    REF,
    ROUTE,
    elements,
    release,
    running,
    until,
    whole,
    written,
)


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


def test_our_own_connector_gets_along_with_it() -> None:
    with running(autopilot=False) as customer:
        text, private = make_key()
        customer.warehouse.server._doors.key = line(private)
        host = line(host_key(HOST_SEED))
        told = connection("", customer.warehouse.server.port, "syncworkers", text, host)
        settings = read_settings("harbor-east", told)
        with opened(settings, Deadline(10.0)) as sftp:
            drop(sftp, settings, "ow-1.edi", written("940", [release()], 1))
        until(lambda: customer.warehouse.books.orders)
        customer.tell("files", next=["truncated"])
        customer.tell(f"orders/{REF}/ship")
        seen: list[Seen] = []
        kept: list[bytes] = []
        stuck: dict[str, str] = {}

        def keep(file: Collected) -> bool:
            kept.extend([file.body] if whole(file.body) else [])
            return whole(file.body)

        def look() -> bool:
            nonlocal seen
            before = dict.fromkeys(seen, 60.0)
            seen = collect(settings, before, keep, stuck.__setitem__, Deadline(10.0))
            return customer.warehouse.busy

        until(lambda: not look())

    codes = sorted(one.code for body in kept for one in read(body).accepted())
    assert codes == ["945", "997"]
    assert stuck == {}


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
