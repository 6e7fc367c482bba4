"""The whole way in one process: simulated partners on real sockets, gateway, flows, database.

Flows are called as the tasks call them; threads stand for workers. Times are shortened by
configuration alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import shutil
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from werkzeug.serving import make_server

from syncworkers import bootstrap
from syncworkers.canonical.kinds import Kind
from syncworkers.flows import lanes
from syncworkers.flows.deliver import deliver_due
from syncworkers.flows.poll import poll
from syncworkers.flows.process import process_due
from syncworkers.flows.sweep import wake_due
from syncworkers.flows.track import track
from syncworkers.sandbox import audit
from syncworkers.sandbox.dynamics365 import app as dynamics365
from syncworkers.sandbox.dynamics365.control import order_view
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.serving import QuietHandler
from syncworkers.sandbox.shipbob import app as shipbob
from syncworkers.sandbox.shipbob.views import order_books
from syncworkers.sandbox.shopify import app as shopify
from syncworkers.sandbox.shopify.books import now_text
from syncworkers.sandbox.shopify.maker import OrderMaker
from syncworkers.settings import load_settings
from syncworkers.store import ledger
from syncworkers.supervisor.environment import NOWHERE, sandbox_environment
from syncworkers.supervisor.simulators import SECRETS, SIMULATORS
from syncworkers.web import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    from syncworkers.flows.fleet import Fleet

STORE, ERP, WAREHOUSE, EAST = "shopify-us", "d365-main", "shipbob-west", "shipbob-east"
ROOT = Path(__file__).resolve().parents[2]
SHOP = "acme-us.myshopify.com"
CALL_DEADLINE = 1.0
SFTP: dict[str, int] = {}
"""Where warehouses listen that exchange files, where there are any."""
_LANE = """
gather_ms = 0
work_budget = "2s"
call_deadline = "1s"
settle = "0.2s"
recheck = "0.05s"
backoff_first = "0.05s"
backoff_limit = "0.2s"
max_attempts = 30
"""
QUICK = f"""
[sla]
parent_known = "1h"

[partners.shopify-us.poll]
every = "1s"
overlap = "30s"
horizon = "1h"

[partners.shopify-us.lane]{_LANE}
[partners.d365-main.poll]
every = "1s"

[partners.d365-main.lane]{_LANE}
""" + "".join(
    f"""
[partners.{name}.budget]
burst = 1000
per_second = 1000

[partners.{name}.poll]
every = "1s"
overlap = "30s"
horizon = "1h"
track = "1h"

[partners.{name}.lane]{_LANE}
"""
    for name in (WAREHOUSE, EAST)
)


@contextmanager
def serving(program: Any) -> Iterator[str]:
    """Serve a WSGI program on loopback; yields its address."""
    server = make_server("127.0.0.1", 0, program, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# What waits for a person, and what waits for that, is at rest.
UNDER_WAY = """
SELECT count(*) FROM line l WHERE l.blocked_by IS NULL AND NOT EXISTS
  (SELECT 1 FROM delivery d JOIN delivery a ON a.idempotency_key = ANY (d.after)
    WHERE d.state = 'open' AND d.lane = l.lane AND d.line = l.key AND a.state = 'dead')
"""


class KilledError(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A shop, an ERP, warehouses that work when they are told to, and us between them.

    Without rules in `routing` of the overlay everything leaves from the first warehouse.
    """

    shop: shopify.Shop
    erp: dynamics365.Environment
    warehouse: shipbob.Warehouse
    east: shipbob.Warehouse
    fleet: Fleet
    gateway: str
    url: str
    maker: OrderMaker
    webhook_ids: Iterator[int]

    def order(self) -> dict[str, Any]:
        """Make an order that is sound in every way, and enter it in the shop without a word."""
        while True:
            order = self.maker.make(now_text())
            if order["shipping_address"] and not order["taxes_included"]:
                self.shop.customers.place(order, topic=None)
                return order

    def webhook(
        self, topic: str, body: bytes | dict[str, Any], *, webhook_id: str | None = None
    ) -> int:
        """Send a signed webhook; return the status."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        secret = SECRETS["SHOPIFY_US_CLIENT_SECRET"].encode()
        digest = base64.b64encode(hmac.new(secret, raw, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": digest,
            "X-Shopify-Shop-Domain": SHOP,
            "X-Shopify-API-Version": "2026-07",
            "X-Shopify-Webhook-Id": webhook_id or f"test-{next(self.webhook_ids)}",
        }
        connection = http.client.HTTPConnection(self.gateway.removeprefix("http://"), timeout=10)
        connection.request("POST", "/webhooks/shopify-us", raw, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def process(self, kind: Kind = Kind.ORDER) -> None:
        """Let a worker read what came in."""
        process_due(self.fleet, kind)

    def deliver(self, partner: str = ERP) -> None:
        """Let a worker send what is owed."""
        deliver_due(self.fleet, partner)

    def poll(self, partner: str = STORE) -> int:
        """Read a partner for what webhooks lost."""
        kinds = {STORE: Kind.ORDER, ERP: Kind.INVOICE}
        return poll(self.fleet, partner, kinds.get(partner, Kind.SHIPMENT))

    def hear(self) -> None:
        """Hear what warehouse and ERP have to say, as a poll does, and act upon it."""
        threading.Event().wait(0.02)  # a warehouse's clock may be some milliseconds ahead
        with self.fleet.database.begin() as connection:
            connection.execute(sa.text("UPDATE shipment SET track_due_at = now()"))
        for partner in (*self.warehouses, ERP):
            self.poll(partner)
        for partner in self.warehouses:
            track(self.fleet, partner)
        self.settle()

    def release(self) -> dict[str, Any]:
        """Bring an order to its warehouse."""
        order = self.order()
        self.webhook("orders/create", order)
        self.settle()
        return order

    def die(
        self,
        stage: str,
        *,
        at: int,
        partner: str = ERP,
        kind: Kind = Kind.ORDER,
        worker: str = "doomed",
    ) -> None:
        """Let a worker die as its transaction number `at` begins: nobody hears of its effects.

        The first claims, the second reads, the third records what was done.
        """
        database = bootstrap.connect(self.url)
        begun: list[object] = []

        def begin(connection: sa.Connection) -> None:
            begun.append(connection)
            if len(begun) >= at:
                raise KilledError

        sa.event.listen(database, "begin", begin)
        doomed = replace(self.fleet, database=database, worker=worker)
        with suppress(KilledError):
            if stage == "process":
                process_due(doomed, kind)
            else:
                deliver_due(doomed, partner)
        database.dispose()

    def expire_leases(self) -> None:
        """Let the time pass that dead workers still have."""
        with self.fleet.database.begin() as connection:
            connection.execute(
                sa.text(
                    "UPDATE line SET lease_until = now() - interval '1 minute'"
                    " WHERE owner IS NOT NULL"
                )
            )

    def settle(self, *, workers: int = 1, seconds: float = 20.0) -> None:
        """Work until no line is left; fails when that does not come about."""
        steps = [partial(self.process, kind) for kind in lanes.PROCESS]
        others = {
            name
            for name, one in self.fleet.partners.items()
            if one.policy.role == "store" or (name in SFTP)
        }
        steps += [partial(self.deliver, one) for one in (ERP, *self.warehouses, *others)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            threads = [threading.Thread(target=step) for step in steps for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wake_due(self.fleet)
            if not self.ask(UNDER_WAY):
                return
            threading.Event().wait(0.05)
        message = f"not at rest: {self.rows('SELECT lane, key, pending, due_at FROM line')}"
        raise AssertionError(message)

    def wait_for(self, so: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is so; fails when it does not come about."""
        end = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < end, "it did not come about"
            threading.Event().wait(0.02)

    def ask(self, question: str, **values: object) -> Any:
        """Ask the database for one value."""
        with self.fleet.database.connect() as connection:
            return connection.execute(sa.text(question), values).scalar()

    def rows(self, question: str, **values: object) -> list[Any]:
        """Ask the database for rows."""
        with self.fleet.database.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(question), values)]

    def states(self) -> list[Any]:
        """Return topic and state of every message, as they came."""
        return self.rows("SELECT topic, state FROM message ORDER BY id")

    def booked(self) -> list[dict[str, Any]]:
        """Return the ERP's orders."""
        books = self.erp.books
        with books.lock:
            return [order_view(books, key) for key in books.sets["SalesOrderHeadersV2"]]

    @property
    def warehouses(self) -> dict[str, shipbob.Warehouse]:
        """Return the warehouses that have something to do, by name."""
        routed = self.fleet.policy.routing.rules
        return {WAREHOUSE: self.warehouse} | ({EAST: self.east} if routed else {})

    def parts(self, warehouse: str = WAREHOUSE) -> list[dict[str, Any]]:
        """Return a warehouse's orders."""
        books = self.warehouses[warehouse].books
        with books.lock:
            return [order_books(one) for one in books.orders.values()]

    def sold(self) -> list[dict[str, Any]]:
        """Return the shop's orders."""
        return self.shop.books.audited()

    def audit(self) -> audit.Audit:
        """Compare the books."""
        books = {
            STORE: {"orders": self.sold()},
            ERP: {"orders": self.booked(), "early_slips": self.erp.slips.early},
            **{name: {"orders": self.parts(name)} for name in self.warehouses},
        }
        return audit.audit(books, self.fleet.policy)

    def assert_sound(self) -> None:
        """The books agree and nothing was dropped."""
        found = self.audit()
        wrong = (*found.lost, *found.duplicated, *found.unexpected, *found.mismatched)
        assert wrong == (), wrong
        assert ledger.prove(self.fleet.database).findings == ()


@contextmanager
def world(
    database_url: str,
    redis_url: str,
    folder: Path,
    environ: pytest.MonkeyPatch,
    *,
    overlay: str = QUICK,
    prepare: Callable[[Path], None] | None = None,
) -> Iterator[World]:
    """Start a world on a clean database; `prepare` may change its folder of configuration."""
    environ.setattr(lanes, "HINT_GATHER_MS", 0)
    environ.setenv("DATABASE_URL", database_url)
    environ.setenv("REDIS_URL", redis_url)
    _configure(environ, folder / "config", overlay)
    if prepare is not None:
        prepare(folder / "config")
    composed: list[Any] = []

    def answer(environ: Any, start: Any) -> Any:
        return composed[0](environ, start)

    with ExitStack() as started:
        # Its address must be known to those who call it before it can be composed.
        gateway = started.enter_context(serving(answer))
        shop, erp = _build_shop(), _build_erp(gateway)
        warehouse, east = _build_warehouse(WAREHOUSE), _build_warehouse(EAST)
        simulated = {STORE: shop, ERP: erp, WAREHOUSE: warehouse, EAST: east}
        urls = {
            name: started.enter_context(serving(one.program)) for name, one in simulated.items()
        }
        _tell_addresses(environ, gateway, urls)
        fleet = started.enter_context(_open_fleet())
        composed.append(create_app(fleet))
        yield World(
            shop=shop,
            erp=erp,
            warehouse=warehouse,
            east=east,
            fleet=fleet,
            gateway=gateway,
            url=database_url,
            maker=OrderMaker(7),
            webhook_ids=itertools.count(1),
        )


def _configure(environ: pytest.MonkeyPatch, config: Path, overlay: str) -> None:
    """Take the configuration as it is, with other times, and the secrets of simulators."""
    shutil.copytree(ROOT / "config", config)
    (config / "routing.toml").unlink()  # the other warehouses are not of this world
    (config / "environments" / "dev.toml").write_text(overlay)
    environ.setenv("SYNCWORKERS_CONFIG", str(config))
    environ.setenv("SYNCWORKERS_ENV", "dev")


def _tell_addresses(environ: pytest.MonkeyPatch, gateway: str, urls: Mapping[str, str]) -> None:
    """Let everybody know where everybody is."""
    told = sandbox_environment(replace(NOWHERE, sftp=NOWHERE.sftp | SFTP))
    for one in SIMULATORS:
        if one.partner in urls:
            told |= one.environment(urls[one.partner], f"{gateway}/webhooks/{one.partner}")
    for name, value in told.items():
        environ.setenv(name, value)


def _build_shop() -> shopify.Shop:
    return shopify.build(
        FaultPlan(level="none", seed=1),
        shop=SHOP,
        webhook_url="",
        client_id=SECRETS["SHOPIFY_US_CLIENT_ID"],
        client_secret=SECRETS["SHOPIFY_US_CLIENT_SECRET"],
        speed=100,
        caller_deadline=CALL_DEADLINE,
    )


def _build_erp(gateway: str) -> dynamics365.Environment:
    return dynamics365.build(
        FaultPlan(level="none", seed=1),
        client_id=SECRETS["D365_MAIN_CLIENT_ID"],
        client_secret=SECRETS["D365_MAIN_CLIENT_SECRET"],
        speed=100,
        caller_deadline=CALL_DEADLINE,
        companies=("usmf", "demf"),
        event_url=f"{gateway}/webhooks/{ERP}/{SECRETS['D365_MAIN_EVENT_SECRET']}",
        invoicing=False,
    )


def _build_warehouse(name: str) -> shipbob.Warehouse:
    secrets = next(one.secrets for one in SIMULATORS if one.partner == name)
    return shipbob.build(
        FaultPlan(level="none", seed=1),
        token=secrets["TOKEN"],
        channel_id=int(secrets["CHANNEL_ID"]),
        speed=100,
        caller_deadline=CALL_DEADLINE,
        autopilot=False,
    )


@contextmanager
def _open_fleet() -> Iterator[Fleet]:
    """Build the fleet from the environment; close what it holds at the end."""
    fleet = bootstrap.build_fleet(load_settings(), worker="test")
    try:
        yield fleet
    finally:
        for partner in fleet.partners.values():
            partner.connection.close()
        fleet.database.dispose()
