"""The simulated EDI warehouse misbehaves as told, and makes it good by itself."""

from __future__ import annotations

import threading

import paramiko
import pytest

from syncworkers.sandbox.edi_warehouse.file_faults import FileFault
from tests.integration.edi_warehouse_running import (
    REF,
    elements,
    persistent,
    release,
    running,
    until,
    written,
)

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
