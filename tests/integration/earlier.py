"""An earlier integration, still at work: it writes into the simulators' books, and not as we would.

It goes past their logs of calls, which so hold our own calls alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client

from syncworkers.connectors.exact_json import dump_json
from syncworkers.flows.sending import BODIES
from syncworkers.store import codec
from syncworkers.supervisor.simulators import SECRETS
from tests.integration.world import ERP, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World

Payload = dict[str, Any]


@dataclass
class Earlier:
    """Knows orders by the store's numbers; `erp` and `warehouse` hold the ids it was given."""

    world: World
    erp: dict[str, str] = field(default_factory=dict)
    warehouse: dict[str, str] = field(default_factory=dict)

    def planned(self, partner: str, operation: str, number: str) -> Payload:
        """Take from our plan what a right integration writes; the names are ours still."""
        [[body]] = self.world.rows(
            "SELECT body FROM delivery WHERE partner = :partner AND operation = :operation"
            " AND correlation_id = (SELECT correlation_id FROM sales_order WHERE number = :number)",
            partner=partner,
            operation=operation,
            number=number,
        )
        write = self.world.fleet.partners[partner].writes[operation]
        return write(codec.load(body, BODIES[operation]))

    def book(self, number: str, **wrong: Any) -> None:
        """Book an order under a number of its own; `wrong` are fields of its first line."""
        payload = self.planned(ERP, "order.create", number)
        mine = f"SO-{number}"
        payload["header"] |= {"SalesOrderNumber": mine, "CustomersOrderReference": f"old/{number}"}
        payload["lines"][0] |= wrong
        books = self.world.erp.books
        with books.change_set():
            books.create("SalesOrderHeadersV2", payload["header"])
            for name, part in (
                ("SalesOrderLinesV3", "lines"),
                ("SalesOrderHeaderChargesV2", "charges"),
            ):
                for fields in payload[part]:
                    books.create(name, fields | {"SalesOrderNumber": mine})
        self.erp[number] = mine

    def enter(self, number: str, *, quantity: int = 0) -> None:
        """Enter an order at the warehouse under a reference of its own."""
        payload = self.planned(WAREHOUSE, "part.create", number)
        payload["reference_id"] = f"old-{number}"
        if quantity:
            payload["products"][0]["quantity"] = quantity
        headers = {
            "Authorization": f"Bearer {SECRETS['SHIPBOB_WEST_TOKEN']}",
            "shipbob_channel_id": SECRETS["SHIPBOB_WEST_CHANNEL_ID"],
        }
        client = Client(self.world.warehouse.program._app)
        answer = client.post("/2026-01/order", data=dump_json(payload), headers=headers)
        assert answer.status_code == 201, answer.text
        assert answer.json is not None
        self.warehouse[number] = str(answer.json["id"])

    def ship(self, number: str) -> None:
        """Let the warehouse send an order off."""
        assert self.world.warehouse.floor.ship(f"old-{number}")
