"""The composition root: settings and policy become one Fleet. Only this file knows all adapters."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from redis import Redis
from sqlalchemy.orm import Session

from mappings import READS, WRITES
from syncworkers.connectors import CONNECTORS
from syncworkers.connectors.base import Ports
from syncworkers.engine.budgets import SharedBudget
from syncworkers.engine.pooler import keep_settings
from syncworkers.engine.tokens import SharedTokens
from syncworkers.engine.wakeups import RedisWaker, SweepOnly
from syncworkers.flows.fleet import Fleet, Partner
from syncworkers.flows.lanes import open_lanes
from syncworkers.policy.load import load_policy
from syncworkers.store.edi_files import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncworkers.engine.wakeups import Waker
    from syncworkers.policy.partners import PartnerPolicy
    from syncworkers.policy.policy import Policy
    from syncworkers.settings import Settings


def build_fleet(
    settings: Settings,
    *,
    publish: Callable[[Sequence[str]], None] | None = None,
    worker: str | None = None,
) -> Fleet:
    """Compose the fleet of one process; call it after fork.

    `publish` sends wake-ups by lane name; without it the sweep finds our work. Raises `PolicyError`
    for a wrong configuration.
    """
    policy = load_policy(settings.config, settings.environment, os.environ)
    database = connect(settings.database_url)
    redis = link_redis(settings.redis_url)
    with Session(database) as session, session.begin():
        lanes = open_lanes(session, policy.partners.values())
    waker: Waker = RedisWaker(redis, publish) if publish is not None else SweepOnly()
    return Fleet(
        worker=worker or f"{socket.gethostname()}:{os.getpid()}",
        database=database,
        policy=policy,
        partners=_partners(policy, redis, database),
        lanes=lanes,
        waker=waker,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the database may take, in milliseconds: to connect, for a statement, for a lock."""

    connect: int = 3_000
    statement: int = 30_000
    lock: int = 10_000


def connect(url: str | sa.URL, patience: Patience = Patience()) -> sa.Engine:
    """Open the database: works behind a transaction pooler, gives up within seconds."""
    engine = sa.create_engine(
        url,
        pool_size=16,
        max_overflow=16,
        pool_timeout=2.0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": patience.connect // 1000,
            "tcp_user_timeout": patience.statement,
            "application_name": "syncworkers",
        },
    )
    # Many rows in one statement; the driver's own way of many sends one statement for each row.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    limits = {
        "statement_timeout": patience.statement,
        "lock_timeout": patience.lock,
        "idle_in_transaction_session_timeout": 60_000,
    }
    keep_settings(engine, limits)
    return engine


def link_redis(url: str) -> Redis:
    """Open Redis for hints and budgets: nothing there is worth more than half a second."""
    return Redis.from_url(
        url, socket_timeout=0.5, socket_connect_timeout=0.5, health_check_interval=25
    )


def _partners(policy: Policy, redis: Redis, database: sa.Engine) -> dict[str, Partner]:
    return {
        name: Partner(
            policy=partner,
            connection=_connection(partner, redis, database),
            reads={
                topic: _fitted(mapping, partner)
                for (connector, topic), mapping in READS.items()
                if connector == partner.connector
            },
            writes={
                operation: _fitted(dump, partner)
                for (connector, operation), dump in WRITES.items()
                if connector == partner.connector
            },
        )
        for name, partner in policy.partners.items()
    }


def _fitted(mapping: Any, partner: PartnerPolicy) -> Any:
    """Return a mapping as this partner needs it: some depend on what its file says."""
    return mapping.fit(partner.connection) if hasattr(mapping, "fit") else mapping


def _connection(partner: PartnerPolicy, redis: Redis, database: sa.Engine) -> object:
    allowed = partner.budget
    budget = SharedBudget(redis, partner.name, maximum=allowed.burst, rate=allowed.per_second)
    ledger = SqlLedger(database, partner.name)
    ports = Ports(tokens=SharedTokens(redis), budget=budget, ledger=ledger)
    return CONNECTORS[partner.connector](partner, ports)
