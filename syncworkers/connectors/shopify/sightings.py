"""What stands in the shop, whoever made it: the fulfilments of orders that changed in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.base import Outcome
from syncworkers.connectors.cutover import Sighting
from syncworkers.connectors.shopify import orders
from syncworkers.connectors.shopify.looks import look
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from syncworkers.connectors.shopify.calls import Calls
    from syncworkers.connectors.shopify.looks import Look
    from syncworkers.connectors.shopify.shop import Shop
    from syncworkers.connectors.shopify.standing import Fulfilment


def standing(
    shop: Shop, calls: Calls, since: dt.datetime, until: dt.datetime
) -> Iterator[list[Sighting]]:
    """Yield the fulfilments, a page for each page of orders."""
    for page in orders.changed(shop, since, until):
        wanted = [f"gid://shopify/Order/{header.external_id}" for header in page]
        yield [
            Sighting(
                kind="shipment",
                external_id=made.id,
                reference="",
                names=tuple(sorted(made.numbers)),
                cancelled=not made.live,
            )
            for seen in look(calls, wanted).values()
            for made in _fulfilments(seen)
        ]


def _fulfilments(seen: Look | Outcome) -> tuple[Fulfilment, ...]:
    if isinstance(seen, Outcome):
        raise RetryableError(seen.error or "an order could not be read", after=seen.after)
    standing, _ = seen
    return standing.fulfilments if standing else ()
