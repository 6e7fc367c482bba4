"""What must work in an instance before the first order, and what stands there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from syncworkers.connectors.adobe_commerce.markers import keys_in
from syncworkers.connectors.adobe_commerce.orders import FORMAT
from syncworkers.connectors.cutover import CheckResult, Sighting
from syncworkers.connectors.inspecting import (
    RIGHTS,
    VersionEnd,
    clock,
    complaints,
    first_call,
    reading,
    version,
)
from syncworkers.errors import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.adobe_commerce.instance import Instance

VERSION = "REST V1, 2.4.9"
VERSIONS: Mapping[str, VersionEnd] = {
    VERSION: VersionEnd(last=None, source="the shop's own release decides; no end is announced")
}
READS = {
    "orders": "Magento_Sales::actions_view",
    "shipments": "Magento_Sales::ship",
}
"""By what is searched: the resource that allows it."""


def check(instance: Instance) -> list[str]:
    """Read a row of everything we read; return what does not work, with a remedy."""
    return [*_unreadable(instance), *_open_door(instance)]


def inspect(instance: Instance, today: dt.date) -> list[CheckResult]:
    """Look at everything, thing by thing."""
    where = instance.settings.url
    found, _ = first_call(lambda: _read_one(instance, "orders"), where)
    found.append(clock(instance.ahead))
    if not all(one.ok for one in found):
        return found
    return [
        *found,
        complaints(
            RIGHTS,
            _unreadable(instance),
            well=f"all of {', '.join(READS)} can be read",
            remedy="grant the resources to the integration",
        ),
        complaints(
            "events",
            _open_door(instance),
            well=f"for {instance.settings.event_client_id}",
            remedy="set [connection] event_client_id",
        ),
        version(VERSION, VERSIONS, today),
        reading(lambda: _read_one(instance, "orders")),
    ]


def standing(
    instance: Instance, since: dt.datetime, until: dt.datetime
) -> Iterator[list[Sighting]]:
    """Yield the shipments that were made there in a window, whoever made them."""
    window = [
        ("created_at", "gteq", since.astimezone(dt.UTC).strftime(FORMAT)),
        ("created_at", "lteq", until.astimezone(dt.UTC).strftime(FORMAT)),
    ]
    for page in instance.search("shipments", window):
        yield [
            Sighting(
                kind="shipment",
                external_id=str(one.get("entity_id")),
                reference=next(iter(sorted(keys_in(one.get("comments") or ()))), ""),
                names=tuple(str(track.get("track_number")) for track in one.get("tracks") or ()),
            )
            for one in page
        ]


def _read_one(instance: Instance, path: str) -> str:
    found = instance.read(path, {"searchCriteria[pageSize]": 1})
    total = found.get("total_count") if isinstance(found, dict) else None
    return f"{total} {path} there"


def _unreadable(instance: Instance) -> Iterator[str]:
    for path, resource in READS.items():
        try:
            _read_one(instance, path)
        except SyncError as error:
            yield f"{instance.settings.url} does not let us read {path} ({resource}): {error}"


def _open_door(instance: Instance) -> Iterator[str]:
    if not instance.settings.event_client_id:
        yield "[connection] event_client_id is missing: events for anybody would be taken"
