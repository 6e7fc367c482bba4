"""Read orders: what changed in a window, and whole orders by id."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Header, Record
from syncworkers.connectors.shopify.answers import shaped
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
        data = shop.query("orders_changed", variables)
        with shaped():
            page = data["orders"]
            headers = [_header(node) for node in page["nodes"]]
            after = _next(page, after)
        yield headers
        if after is None:
            return


def fetch(shop: Shop, external_ids: Sequence[str]) -> list[Record]:
    """Read whole orders; what the shop does not have, or cannot have, is left out."""
    records = []
    possible = [one for one in external_ids if one.isdecimal() and one.isascii()]
    for start in range(0, len(possible), TOGETHER):
        some = possible[start : start + TOGETHER]
        ids = [f"gid://shopify/Order/{one}" for one in some]
        data = shop.query("orders_by_id", {"ids": ids})
        with shaped():
            records += [_record(shop, node) for node in data["nodes"] if node]
    return records


def _record(shop: Shop, node: dict[str, Any]) -> Record:
    page = node["lineItems"]
    lines = list(page["nodes"])
    after = _next(page, None)
    while after is not None:
        order = shop.query("order_lines", {"id": node["id"], "after": after})["order"]
        if order is None:
            raise RetryableError("the order vanished while its lines were read")
        page = order["lineItems"]
        lines += page["nodes"]
        after = _next(page, after)
    whole = {**node, "lineItems": {"nodes": lines}}
    return Record(external_id=str(node["legacyResourceId"]), body=json.dumps(whole))


def _next(page: dict[str, Any], before: str | None) -> str | None:
    """Return where the next page begins; paging must end, so it cannot begin where this one did."""
    info = page["pageInfo"]
    if not info["hasNextPage"]:
        return None
    after: str | None = info["endCursor"]
    if after is None or after == before:
        raise ValueError("the next page is this one")
    return after


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
