"""Read orders: what changed in a window, and whole orders by id."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Header, Record
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.connectors.shopify.shop import Shop

PAGE = 250
TOGETHER = 5
"""Orders read by one query: their first lines stay below Shopify's limit of 1000 points."""


def changed(shop: Shop, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
    """Yield pages of what changed in a window, both ends included."""
    window = f"updated_at:>='{_utc(since)}' AND updated_at:<='{_utc(until, up=True)}'"
    after: str | None = None
    while True:
        variables = {"first": PAGE, "after": after, "query": window}
        page = shop.query("orders_changed", variables)["orders"]
        yield [_header(node) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def fetch(shop: Shop, external_ids: Sequence[str]) -> list[Record]:
    """Read whole orders; what the shop does not have is left out."""
    records = []
    for start in range(0, len(external_ids), TOGETHER):
        some = external_ids[start : start + TOGETHER]
        ids = [f"gid://shopify/Order/{one}" for one in some]
        nodes = shop.query("orders_by_id", {"ids": ids})["nodes"]
        records += [_record(shop, node) for node in nodes if node]
    return records


def _record(shop: Shop, node: dict[str, Any]) -> Record:
    page = node["lineItems"]
    lines = list(page["nodes"])
    while page["pageInfo"]["hasNextPage"]:
        variables = {"id": node["id"], "after": page["pageInfo"]["endCursor"]}
        order = shop.query("order_lines", variables)["order"]
        if order is None:
            raise RetryableError("the order vanished while its lines were read")
        page = order["lineItems"]
        lines += page["nodes"]
    whole = {**node, "lineItems": {"nodes": lines}}
    return Record(external_id=str(node["legacyResourceId"]), body=json.dumps(whole))


def _header(node: dict[str, Any]) -> Header:
    return Header(
        external_id=str(node["legacyResourceId"]),
        updated_at=dt.datetime.fromisoformat(node["updatedAt"]),
    )


def _utc(time: dt.datetime, *, up: bool = False) -> str:
    """Write whole seconds in UTC: shop time would skip orders."""
    whole = time.astimezone(dt.UTC).replace(microsecond=0)
    if up and time.microsecond:
        whole += dt.timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
