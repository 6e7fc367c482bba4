"""Doctor: is everything as it must be? Each check says what it saw and what to do about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from redis.exceptions import RedisError

from syncworkers.connectors.base import Ships
from syncworkers.engine import lanes, slots
from syncworkers.errors import SyncError
from syncworkers.flows.modes import standings
from syncworkers.store import fleet as fleet_state
from syncworkers.store import stories
from syncworkers.store.migrate import is_current
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from syncworkers.flows.fleet import Fleet

LAG_LIMIT = 60.0
"""Seconds that ready work may wait before something is wrong."""
CLOCK_LIMIT = 5.0
ANSWERS = "answers, accepts our credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check: `level` is `ok`, `warn` or `bad`."""

    name: str
    level: str
    saw: str
    remedy: str = ""


def examine(fleet: Fleet, redis: Redis, *, now: dt.datetime) -> list[Checked]:
    """Run every check; none of them changes anything."""
    return [
        *_database(fleet, now),
        *_redis(redis),
        *_work(fleet, now),
        *_gates(fleet, now),
        *_observed(fleet),
        *_partners(fleet),
    ]


def _database(fleet: Fleet, now: dt.datetime) -> Iterator[Checked]:
    try:
        with fleet.database.connect() as connection:
            version = connection.execute(sa.text("SHOW server_version")).scalar_one()
            current = is_current(connection)
            fsync = connection.execute(sa.text("SHOW fsync")).scalar_one()
        with fleet.session() as session:
            skew = abs((fleet_state.now(session) - now).total_seconds())
    except sa.exc.SQLAlchemyError as error:
        yield Checked(
            name="database",
            level="bad",
            saw=f"{type(error).__name__}",
            remedy="is DATABASE_URL right and the server up?",
        )
        return
    yield Checked(name="database", level="ok", saw=f"PostgreSQL {version}")
    yield Checked(
        name="migrations",
        level="ok" if current else "bad",
        saw="at the revision this build needs, or after" if current else "behind this build",
        remedy="" if current else "syncworkers db upgrade",
    )
    yield Checked(
        name="durability",
        level="ok" if fsync == "on" else "warn",
        saw=f"fsync {fsync}",
        remedy="" if fsync == "on" else "“accepted is stored” needs fsync = on",
    )
    yield Checked(
        name="clock",
        level="ok" if skew < CLOCK_LIMIT else "warn",
        saw=f"{skew:.1f} s between this machine and the database",
        remedy="" if skew < CLOCK_LIMIT else "only the database's clock decides, but mend NTP here",
    )


def _redis(redis: Redis) -> Iterator[Checked]:
    try:
        info = redis.info("server")
        policy = redis.config_get("maxmemory-policy").get("maxmemory-policy", "unknown")
    except RedisError as error:
        yield Checked(
            name="redis",
            level="bad",
            saw=str(error),
            remedy="nothing is lost, but wake-ups fail: is REDIS_URL right and the server up?",
        )
        return
    yield Checked(name="redis", level="ok", saw=f"Redis {info['redis_version']}")
    safe = policy == "noeviction"
    yield Checked(
        name="redis policy",
        level="ok" if safe else "warn",
        saw=f"maxmemory-policy {policy}",
        remedy="" if safe else "evicted wake-ups cost seconds each: set noeviction, its own Redis",
    )


def _work(fleet: Fleet, now: dt.datetime) -> Iterator[Checked]:
    with fleet.session() as session:
        loads = lanes.loads(session)
        late = slots.late(session)
        waiting = session.execute(
            sa.text("""SELECT topic, count(*) AS rows FROM message
                        WHERE state = 'parked' AND waiting_for LIKE 'topic:%' GROUP BY 1""")
        )
        held = {row.topic: row.rows for row in waiting}
        cases = session.execute(
            sa.text("SELECT count(*) FROM exception_case WHERE state = 'open'")
        ).scalar_one()
    for load in loads:
        lag = (now - load.oldest_due).total_seconds() if load.oldest_due else 0.0
        slow = lag > LAG_LIMIT and load.paused_reason is None
        paused = f", paused: {load.paused_reason}" if load.paused_reason else ""
        yield Checked(
            name=f"lane {load.name}",
            level="bad" if slow else "warn" if load.paused_reason or load.blocked else "ok",
            saw=f"{load.rows} rows open, {load.blocked} lines blocked, oldest due "
            f"{max(lag, 0.0):.0f} s ago{paused}",
            remedy="are the workers up (`syncworkers up`, Flower)?" if slow else "",
        )
    if late:
        yield Checked(
            name="schedule",
            level="warn",
            saw=f"begun and never finished: {', '.join(late)}",
            remedy="the next beat takes them over; look for a killed worker",
        )
    if held:
        topics = ", ".join(f"{topic} {count}" for topic, count in sorted(held.items()))
        yield Checked(name="topics kept for later", level="ok", saw=topics)
    yield Checked(
        name="cases",
        level="warn" if cases else "ok",
        saw=f"{cases} open",
        remedy="syncworkers exceptions list" if cases else "",
    )


def _gates(fleet: Fleet, now: dt.datetime) -> Iterator[Checked]:
    """Say how many order parts wait for something before their warehouse gets them."""
    with fleet.session() as session:
        waiting = stories.waiting_at_gates(session)
    for one in waiting:
        minutes = (now - one["oldest"]).total_seconds() / 60
        yield Checked(
            name=f"gate of {one['partner']}",
            level="ok",
            saw=f"{one['parts']} order parts wait for {one['gate']}, the oldest {minutes:.0f} min",
        )


def _observed(fleet: Fleet) -> Iterator[Checked]:
    """Name the partners that nothing is written to."""
    for one in standings(fleet):
        if one.mode is Mode.OBSERVE:
            yield Checked(
                name=f"mode of {one.partner}",
                level="ok",
                saw=f"only observed since {one.since}, by {one.changed_by}: {one.planned} planned",
            )


def _partners(fleet: Fleet) -> Iterator[Checked]:
    for name, partner in sorted(fleet.partners.items()):
        wrong = [*partner.connection.check(), *unknown_methods(fleet, name)]
        how = partner.connection.shipment_strategy
        yield Checked(
            name=f"partner {name}",
            level="bad" if wrong else "ok",
            saw="; ".join(wrong) or ", ".join(filter(None, (ANSWERS, how))),
            remedy=f"see config/partners/{name}.toml" if wrong else "",
        )


def unknown_methods(fleet: Fleet, partner: str) -> Iterator[str]:
    """Name the shipping methods of ours that a warehouse does not have: it may take its default."""
    ours = fleet.policy.fulfilment.warehouses.get(partner)
    connection = fleet.partners[partner].connection
    if ours is None or not isinstance(connection, Ships):
        return
    try:
        names = connection.shipping_methods()
    except SyncError:
        return  # said already by its own check
    for method in sorted(set(ours.shipping_methods.values()) - names):
        yield (
            f"it has no shipping method {method!r}: correct [warehouses.{partner}.shipping_methods]"
            f" of config/fulfilment.toml; it has {', '.join(sorted(names))}"
        )
