"""Every parcel that left the warehouse: once at the store and once at the ERP, as it was packed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.sandbox.audit.books import Case, Wrong

Units = Counter[str]


def check(case: Case) -> Iterator[Wrong]:
    """Yield what is wrong with what the store and the ERP know of parcels."""
    yield from _at_store(case)
    for document in case.booked[:1]:
        yield from _at_erp(case, document)


def _at_store(case: Case) -> Iterator[Wrong]:
    """Compare by tracking number; a store that called the order off is not told."""
    told = defaultdict(list)
    for one in case.order["fulfillments"]:
        told[one["tracking"]["number"]].append(one)
    wanted = {} if case.cancelled else {one["tracking_number"]: one for one in case.shipped}
    yield from _compare(case, "the store", wanted, told, _fulfilled)


def _at_erp(case: Case, document: Mapping[str, Any]) -> Iterator[Wrong]:
    """Compare by our id of the shipment, which follows from the warehouse's."""
    posted = defaultdict(list)
    for one in document["slips"]:
        posted[one["shipment_id"]].append(one)
        if float(one["posted_at"]) < float(document["created_at"]):
            yield case.unexpected(f"slip {one['slip']} came before its order")
    wanted = {f"{case.warehouse}/{one['id']}": one for one in case.shipped}
    if document["status"] == "Canceled":
        wanted = {}
    yield from _compare(case, case.booking.erp, wanted, posted, _slipped)


def _compare(
    case: Case,
    partner: str,
    wanted: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    units: Any,
) -> Iterator[Wrong]:
    for name, shipment in wanted.items():
        there = found.get(name, [])
        if not there:
            yield case.lost(f"shipment {name} not at {partner}")
        if len(there) > 1:
            yield case.duplicated(f"shipment {name} {len(there)} times at {partner}")
        for one in there[:1]:
            packed, told = _packed(shipment), units(case, one)
            if packed != told:
                yield case.differs(partner, f"shipment {name}", packed, told)
    for name in found.keys() - wanted.keys():
        yield case.unexpected(f"shipment {name or 'without a number'} at {partner}")


def _packed(shipment: Mapping[str, Any]) -> Units:
    units: Units = Counter()
    for line in shipment["lines"]:
        units[line["sku"]] += int(line["quantity"])
    return units


def _fulfilled(case: Case, fulfilment: Mapping[str, Any]) -> Units:
    return _by_sku(case, [(line["id"], line["quantity"]) for line in fulfilment["lines"]])


def _slipped(case: Case, slip: Mapping[str, Any]) -> Units:
    return _by_sku(case, [(line["reference"], line["quantity"]) for line in slip["lines"]])


def _by_sku(case: Case, lines: Sequence[tuple[Any, Any]]) -> Units:
    skus = {str(line["id"]): line["sku"] for line in case.order["lines"]}
    units: Units = Counter()
    for line, quantity in lines:
        units[skus.get(str(line), f"line {line}")] += int(float(quantity))
    return units
