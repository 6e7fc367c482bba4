"""Stock and charges of an EDI warehouse, from the files it leaves to the rows that stand."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.canonical.kinds import Kind
from syncworkers.engine.keys import line_key
from syncworkers.engine.lines import ANNOUNCE
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import process_lane
from syncworkers.flows.pickup import pick_up
from syncworkers.flows.retry import retry
from syncworkers.store import inbox
from tests.connectors import sftp_running
from tests.integration import world as whole
from tests.integration.journeys import reference
from tests.unit.edi_documents import ADJUSTMENT, COUNT, FREIGHT_BILL, INVOICE, RECEIPT, document
from tests.unit.x12_parts import file_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from tests.connectors.sftp_running import Running
    from tests.integration.world import World

EAST = "harbor-east"
PROFILE = """
[connection.profile]
warehouse_code = "WH01"

[connection.profile.snapshot]
pattern = "stock-*.csv"
as_of = "name"
as_of_format = "stock-%Y%m%d.csv"

[connection.profile.snapshot.columns]
sku = "Seller SKU"
available = "Quantity Available"

[poll]
every = "0.05s"
overlap = "1s"
horizon = "1h"

[budget]
burst = 100
per_second = 100
"""


def partner_file(running: Running) -> str:
    """Write the partner file of a warehouse that runs here."""
    lines = ['connector = "edi_sftp"', 'role = "warehouse"', "[connection]"]
    for key, value in running.connection.items():
        told = f"'''{value}'''" if isinstance(value, str) else value
        lines.append(f"{key} = {told}")
    return "\n".join(lines) + PROFILE


@dataclass
class Harbor:
    """An EDI warehouse, and us."""

    world: World
    running: Running
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def tell(self, code: str, text: str) -> None:
        """Lay a document in the inbox, as a file with it would, and decide about it."""
        kind = Kind.CHARGE if code in {"810", "210"} else Kind.STOCK
        entity = f"{code}-{next(self.numbers)}"
        fleet = self.world.fleet
        message = inbox.NewMessage(
            lane=fleet.lanes[process_lane(kind)].id,
            line=line_key(EAST, kind, entity),
            partner=EAST,
            source="file",
            external_id=entity,
            topic=f"edi/{code}",
            kind=kind,
            entity=entity,
            correlation_id=correlation_id(EAST, kind, entity),
            body=document(code, text),
        )
        with fleet.session() as session:
            inbox.store(session, [message], announce=ANNOUNCE, patience=1000)
        self.world.process(kind)

    def leave(self, name: str, told: bytes) -> None:
        """Leave a file, and wait until it is picked up."""
        self.running.put(name, told)
        self.world.wait_for(lambda: self._picked_up() == 1)

    def _picked_up(self) -> int:
        threading.Event().wait(0.05)
        return pick_up(self.world.fleet, EAST)

    def learn(self, connection: dict[str, Any]) -> None:
        """Read its adjustments by another profile from now on."""
        fleet = self.world.fleet
        known = fleet.partners[EAST]
        reads = {**known.reads, "edi/947": known.reads["edi/947"].fit(connection)}
        partners = {**fleet.partners, EAST: replace(known, reads=reads)}
        self.world.fleet = replace(fleet, partners=partners)

    def last(self) -> tuple[str, str]:
        """Return state and reason of the newest message."""
        [row] = self.world.rows("SELECT state, reason FROM message ORDER BY id DESC LIMIT 1")
        return row

    def cases(self) -> list[tuple[int, str]]:
        """Return the open cases."""
        return self.world.rows(
            "SELECT id, code FROM exception_case WHERE state = 'open' ORDER BY id"
        )

    def counted(self) -> list[Any]:
        """Return what was counted last."""
        return self.world.rows("SELECT sku, on_hand, available FROM stock_count ORDER BY sku")


@pytest.fixture
def harbor(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harbor]:
    with sftp_running.own(tmp_path / "warehouse") as running:

        def prepare(config: Path) -> None:
            (config / "partners" / f"{EAST}.toml").write_text(partner_file(running))

        with whole.world(
            running_servers.database_url,
            running_servers.redis_url,
            tmp_path,
            monkeypatch,
            prepare=prepare,
        ) as world:
            yield Harbor(world, running)


MOVEMENTS = (
    "SELECT kind, number, line, sku, quantity, reason, condition, code, lot, reference"
    " FROM stock_movement ORDER BY kind DESC, line"
)


def test_movements_are_booked_once_and_an_unknown_code_waits_in_suspense(harbor: Harbor) -> None:
    harbor.tell("944", RECEIPT)
    assert harbor.last() == ("applied", "receipt RC-55: 2 movements")
    harbor.tell("944", RECEIPT)
    assert harbor.last() == ("superseded", "says nothing new")
    harbor.tell("947", ADJUSTMENT)
    assert harbor.last() == ("rejected", "adjustment ADJ-12 is booked, 1 movements in suspense")

    assert harbor.world.rows(MOVEMENTS) == [
        ("receipt", "RC-55", 1, "SKU-A", 98, "received", "good", "", "LOT42", "TO-300"),
        ("receipt", "RC-55", 2, "SKU-A", 2, "received", "damaged", "01", "LOT42", "TO-300"),
        ("adjustment", "ADJ-12", 1, "SKU-B", -3, "damaged", "good", "AU", "LOT7", ""),
        ("adjustment", "ADJ-12", 2, "SKU-C", Decimal("2.5"), "unknown", "good", "XX", "", ""),
    ]
    [(case, code)] = harbor.cases()
    assert code == "stock.unknown_code"

    retry(harbor.world.fleet, case, actor="ann")
    harbor.world.process(Kind.STOCK)
    assert harbor.last()[0] == "rejected"

    [(case, _)] = harbor.cases()
    harbor.learn({"profile": {"adjustments": {"XX": "lost"}}})
    retry(harbor.world.fleet, case, actor="ann")
    harbor.world.process(Kind.STOCK)

    assert harbor.last() == ("applied", "adjustment ADJ-12: 2 movements")
    reasons = "SELECT reason FROM stock_movement WHERE number = 'ADJ-12' ORDER BY line"
    assert harbor.world.rows(reasons) == [("damaged",), ("lost",)]
    assert harbor.cases() == []


def test_a_document_that_changed_is_a_case_and_what_was_booked_stands(harbor: Harbor) -> None:
    harbor.tell("944", RECEIPT)
    harbor.tell("944", RECEIPT.replace("98*", "97*"))

    assert [code for _, code in harbor.cases()] == ["stock.changed"]
    assert harbor.world.ask("SELECT quantity FROM stock_movement WHERE line = 1") == 98
    message = harbor.world.ask("SELECT violations->0->>'message' FROM exception_case")
    assert "other content (movements[0].quantity), and stays booked" in message


def test_a_count_replaces_the_one_before_and_an_older_one_changes_nothing(harbor: Harbor) -> None:
    harbor.tell("846", COUNT)
    assert harbor.counted() == [("SKU-A", 95, 80), ("SKU-B", 40, None)]
    harbor.tell("846", COUNT)
    assert harbor.last() == ("superseded", "says nothing new")

    harbor.tell("846", COUNT.replace("1126*0500", "1125*0500"))
    assert harbor.last()[0] == "superseded"
    assert "2026-11-26 05:00:00+00:00 was taken already" in harbor.last()[1]

    harbor.tell("846", COUNT.replace("17*95", "17*96"))
    harbor.tell("846", COUNT.replace("1126*0500", "1127*0500").replace("17*95", "17*90"))

    assert [code for _, code in harbor.cases()] == ["stock.changed"]
    assert harbor.counted() == [("SKU-A", 90, 80), ("SKU-B", 40, None)]
    assert harbor.world.ask("SELECT count(*) FROM stock_snapshot") == 2


def csv(rows: int) -> bytes:
    lines = [f"SKU-{one:06},{one}" for one in range(rows)]
    return "\n".join(["seller sku,QUANTITY AVAILABLE,", *lines]).encode()


def test_a_flat_file_is_known_by_its_name_and_a_hundred_thousand_rows_are_taken(
    harbor: Harbor,
) -> None:
    harbor.leave("stock-20261126.csv", csv(100_000))
    harbor.world.process(Kind.STOCK)

    assert harbor.last() == ("applied", "100000 SKUs as of 2026-11-26 00:00:00+00:00")
    counted = harbor.world.rows("SELECT count(*), sum(available), count(on_hand) FROM stock_count")
    assert counted == [(100_000, 4_999_950_000, 0)]
    assert harbor.world.rows("SELECT warehouse, rows, reference FROM stock_snapshot") == [
        ("WH01", 100_000, "stock-20261126.csv")
    ]

    harbor.leave("stock-20261127.csv", csv(49_999))
    harbor.world.process(Kind.STOCK)

    assert [code for _, code in harbor.cases()] == ["stock.rows_lost"]
    assert harbor.world.ask("SELECT count(*) FROM stock_count") == 100_000
    assert "raise max_loss under" in harbor.world.ask(
        "SELECT violations->0->>'message' FROM exception_case"
    )


def test_the_same_count_another_night_is_another_count(harbor: Harbor) -> None:
    for night in ("26", "27"):
        harbor.leave(f"stock-202611{night}.csv", csv(3))
        harbor.world.process(Kind.STOCK)

    assert harbor.world.states() == [("stock/csv", "applied"), ("stock/csv", "applied")]
    assert harbor.world.ask("SELECT count(*) FROM stock_snapshot") == 2
    assert harbor.world.ask("SELECT count(*) FROM stock_count") == 3


def test_the_documents_of_an_x12_file_find_their_lanes(harbor: Harbor) -> None:
    harbor.leave("re.edi", file_of("RE").replace("*P*>", "*T*>").encode())
    harbor.world.process(Kind.FILE)
    harbor.world.process(Kind.STOCK)

    assert harbor.world.states() == [("edi/file", "applied"), ("edi/944", "rejected")]
    # Its totals speak of two damaged ones, and no line does.
    assert [code for _, code in harbor.cases()] == ["stock.total"]


def test_a_charge_is_matched_by_its_parcel(harbor: Harbor) -> None:
    world = harbor.world
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    world.hear()
    tracking = world.ask("SELECT tracking_number FROM shipment")

    harbor.tell("210", FREIGHT_BILL.replace("TRK0000001", tracking))

    assert harbor.last() == ("applied", "15.25 USD for 1 shipments; nobody knows SHP-9001")
    assert world.rows("SELECT kind, number, state, total FROM charge") == [
        ("freight", "FB-7001", "matched", Decimal("15.25"))
    ]
    assert world.rows("SELECT reference FROM charge_shipment") == [(tracking,)]
    assert harbor.cases() == []


def test_a_charge_for_nothing_known_is_kept_and_matched_on_a_retry(harbor: Harbor) -> None:
    world = harbor.world
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    world.hear()

    harbor.tell("810", INVOICE)
    assert harbor.last() == ("rejected", "a charge for no known shipment")
    harbor.tell("810", INVOICE)
    assert harbor.last() == ("superseded", "says nothing new")
    harbor.tell("810", INVOICE.replace("PO-77", "PO-78"))
    assert world.rows("SELECT number, state FROM charge") == [("INV-3001", "unmatched")]
    [(case, unmatched), (_, changed)] = harbor.cases()
    assert (unmatched, changed) == ("charge.unmatched", "charge.changed")

    with world.fleet.database.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE shipment SET partner = '{EAST}', external_id = 'SHP-9001'"
        )
    retry(world.fleet, case, actor="ann")
    world.process(Kind.CHARGE)

    assert world.rows("SELECT number, state FROM charge") == [("INV-3001", "matched")]
    assert world.rows("SELECT reference FROM charge_shipment") == [("SHP-9001",)]
    assert [code for _, code in harbor.cases()] == ["charge.changed"]
