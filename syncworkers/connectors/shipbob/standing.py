"""What stands at the warehouse, whoever entered it: the orders made in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.cutover import Sighting
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.shipbob import orders
from syncworkers.connectors.shipbob.changes import CANCELLED
from syncworkers.connectors.shipbob.wire import instant

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.shipbob.account import Account


def standing(account: Account, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
    """Yield pages of orders; one whose making has no time that can be read is taken for new."""
    for page in orders.changed(account, since, until):
        read = [(one.external_id, load_json((one.body or "{}").encode())) for one in page]
        yield [_sighting(number, order) for number, order in read if _is_new(order, since)]


def _is_new(order: Mapping[str, Any], since: dt.datetime) -> bool:
    made = instant(order.get("created_date"))
    return made is None or made >= since


def _sighting(number: str, order: Mapping[str, Any]) -> Sighting:
    names = (str(order.get(name) or "") for name in ("order_number", "reference_id"))
    return Sighting(
        kind="part",
        external_id=number,
        reference=str(order.get("reference_id") or ""),
        names=tuple(name for name in names if name),
        cancelled=order.get("status") == CANCELLED,
    )
