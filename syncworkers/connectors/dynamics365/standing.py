"""What stands in the ERP, whoever made it: orders and packing slips of a window.

Contract: SalesOrderHeadersV2 and PackingSlipTrackingInformation of 10.0.x; that the latter shows a
tracking number for each slip is unverified.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syncworkers.connectors.cutover import Sighting
from syncworkers.connectors.dynamics365.invoices import Reading
from syncworkers.connectors.dynamics365.odata import literal
from syncworkers.connectors.http import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.settings import Settings

DAY = dt.timedelta(days=1)
ORDER_FIELDS = (
    "dataAreaId,SalesOrderNumber,CustomersOrderReference,CustomerRequisitionNumber,SalesOrderStatus"
)
SLIPS = "PackingSlipTrackingInformation"
CANCELLED = "Canceled"
NOT_SHOWN = frozenset({403, 404})
"""Not every environment shows packing slips, or not to our user."""


def standing(
    environment: Environment, settings: Settings, since: dt.datetime, until: dt.datetime
) -> Iterator[list[Sighting]]:
    """Yield pages of what was made in a window; a slip has only a day, which may be one off."""
    reading = Reading(environment, settings)
    made = f"OrderCreationDateTime ge {_utc(since)} and OrderCreationDateTime le {_utc(until)}"
    address = _address(settings, settings.header_set, made, ORDER_FIELDS)
    for rows in reading.pages(address, "header_set"):
        yield [_order(row) for row in rows]
    yield from _slips(environment, settings, since, until)


def _slips(
    environment: Environment, settings: Settings, since: dt.datetime, until: dt.datetime
) -> Iterator[list[Sighting]]:
    reading = Reading(environment, settings)
    days = f"DeliveryDate ge {_utc(since - DAY)} and DeliveryDate le {_utc(until + DAY)}"
    fields = "dataAreaId,SalesOrderNumber,PackingSlipNumber,TrackingNumber"
    address = _address(settings, SLIPS, days, fields)
    probe = environment.call(Call(method="GET", url=f"data/{address}&$top=1", read=True))
    if probe.status in NOT_SHOWN:
        return  # orders are compared all the same
    for rows in reading.pages(address, "shipment_service"):
        yield [_slip(row) for row in rows]


def _address(settings: Settings, entity_set: str, terms: str, fields: str) -> str:
    companies = " or ".join(f"dataAreaId eq {literal(one)}" for one in sorted(settings.companies))
    whole = quote(f"({companies}) and {terms}", safe="")
    return f"{entity_set}?$filter={whole}&$select={fields}&cross-company=true"


def _order(row: Mapping[str, Any]) -> Sighting:
    return Sighting(
        kind="order",
        external_id=_text(row, "SalesOrderNumber"),
        reference=_text(row, "CustomersOrderReference"),
        names=_given(row, "CustomerRequisitionNumber", "CustomersOrderReference"),
        cancelled=_text(row, "SalesOrderStatus") == CANCELLED,
    )


def _slip(row: Mapping[str, Any]) -> Sighting:
    return Sighting(
        kind="shipment",
        external_id=_text(row, "PackingSlipNumber"),
        reference="",
        names=_given(row, "TrackingNumber"),
    )


def _given(row: Mapping[str, Any], *fields: str) -> tuple[str, ...]:
    return tuple(text for field in fields if (text := _text(row, field)))


def _text(row: Mapping[str, Any], field: str) -> str:
    return str(row.get(field) or "")


def _utc(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
