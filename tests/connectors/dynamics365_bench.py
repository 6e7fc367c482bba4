"""The simulated Dynamics 365 environment on the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Ports
from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.dynamics365 import app
from syncworkers.sandbox.dynamics365.slips import SERVICE
from syncworkers.sandbox.faults import FaultPlan
from tests.connectors.bench import DEADLINE
from tests.integration import dynamics365_running as erp

if TYPE_CHECKING:
    from syncworkers.connectors.base import Request, TokenCache

SECRET, EVENT_SECRET = "erp-secret-7741", "event-secret-7741"


class Dynamics365Bench:
    """A sales order is the thing that is made; invoices are read."""

    secrets = (SECRET, EVENT_SECRET)
    looks_first = 0
    kind = "invoice"
    an_id = "usmf/CIV-000001"

    def __init__(self) -> None:
        self.plan = FaultPlan(level="none", seed=1)
        self.erp = app.build(
            self.plan,
            client_id="app",
            client_secret=SECRET,
            speed=100.0,
            caller_deadline=DEADLINE,
            pace=0.05,
            invoicing=False,
        )
        self.calls, self.program = self.erp.calls, self.erp.program

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> Dynamics365:
        policy = PartnerPolicy(
            name="d365-main",
            connector="dynamics365",
            role="erp",
            brand="",
            connection={
                "url": url,
                "token_url": f"{url}/t/oauth2/v2.0/token",
                "client_id": "app",
                "client_secret": "wrong" if wrong_secret else SECRET,
                "default_company": "usmf",
                "shipment_service": SERVICE,
                "event_secret": EVENT_SECRET,
            },
            lane=LanePolicy(call_deadline=DEADLINE),
        )
        return Dynamics365(
            policy, Ports(tokens=tokens, budget=LocalBudget(maximum=10000.0, rate=10000.0))
        )

    def create(self, number: int) -> Request:
        return erp.create(number)

    def effects(self, number: int) -> int:
        with self.erp.books.lock:
            return sum(
                one["SalesOrderNumber"] == f"US{number}"
                for one in self.erp.books.sets["SalesOrderHeadersV2"].values()
            )

    def refused(self, number: int) -> Request:
        self.erp.books.fail_next_line.append("Error: Item is blocked for sales.")
        return erp.create(number)

    def fill(self, count: int) -> set[str]:
        books = self.erp.books
        for number in range(1, count + 1):
            wanted = erp.create(number).payload
            with books.change_set():
                books.create("SalesOrderHeadersV2", dict(wanted["header"]))
                for line in wanted["lines"]:
                    books.create("SalesOrderLinesV3", dict(line))
        with books.lock:
            for header in list(books.sets["SalesOrderHeadersV2"].values()):
                self.erp.invoicing.post(header)
            found = books.sets["SalesInvoiceHeadersV2"].values()
            return {f"usmf/{one['InvoiceNumber']}" for one in found}

    def bodies(self, made: Any) -> dict[str, bytes]:
        [number] = self.fill(1)
        [record] = made.fetch("invoice", [number])
        return {"invoices/read": record.body.encode()}

    def tokens_issued(self) -> int | None:
        return self.erp.tokens.issued

    def expire_tokens(self) -> None:
        self.erp.tokens.revoke_all()

    def signed(self, body: bytes) -> tuple[dict[str, str], str]:
        return {}, EVENT_SECRET

    def forged(self, body: bytes) -> tuple[dict[str, str], str]:
        return {}, f"{EVENT_SECRET}x"
