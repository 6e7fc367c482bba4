"""Every parcel that left the warehouse: once at the store and once at the ERP, as it was packed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.audit.books import units_by_sku

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncworkers.sandbox.audit.books import OrderBooks, Units, Wrong


def check(books: OrderBooks) -> Iterator[Wrong]:
    """Yield what is wrong with what the store and the ERP know of parcels."""
    yield from _at_store(books)
    for document in books.booked[:1]:
        yield from _at_erp(books, document)


def _at_store(books: OrderBooks) -> Iterator[Wrong]:
    """Compare by tracking number; a store that called the order off is not told."""
    told = defaultdict(list)
    for one in books.order["fulfillments"]:
        told[one["tracking"]["number"]].append(one)
    wanted = {} if books.cancelled else {one["tracking_number"]: one for one in books.shipped}
    yield from _compare(books, "the store", wanted, told, _fulfilled)


def _at_erp(books: OrderBooks, document: Mapping[str, Any]) -> Iterator[Wrong]:
    """Compare by our id of the shipment, which follows from the warehouse's."""
    posted = defaultdict(list)
    for one in document["slips"]:
        posted[one["shipment_id"]].append(one)
        if float(one["posted_at"]) < float(document["created_at"]):
            yield books.unexpected(f"slip {one['slip']} came before its order")
    wanted = {
        f"{part['warehouse']}/{one['id']}": one
        for part in books.released
        for one in part["shipments"]
        if one["shipped"]
    }
    if document["status"] == "Canceled":
        wanted = {}
    yield from _compare(books, books.booking.erp, wanted, posted, _slipped)


def _compare(
    books: OrderBooks,
    partner: str,
    wanted: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    units: Callable[[OrderBooks, Mapping[str, Any]], Units],
) -> Iterator[Wrong]:
    if books.converts:
        yield from _compare_sums(books, partner, wanted, found, units)
        return
    for name, shipment in wanted.items():
        there = found.get(name, [])
        if not there:
            yield books.lost(f"shipment {name} not at {partner}")
        if len(there) > 1:
            yield books.duplicated(f"shipment {name} {len(there)} times at {partner}")
        for one in there[:1]:
            packed, told = units_by_sku(shipment["lines"]), units(books, one)
            if packed != told:
                yield books.differs(partner, f"shipment {name}", packed, told)
    for name in found.keys() - wanted.keys():
        yield books.unexpected(f"shipment {name or 'without a number'} at {partner}")


def _compare_sums(
    books: OrderBooks,
    partner: str,
    wanted: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    units: Callable[[OrderBooks, Mapping[str, Any]], Units],
) -> Iterator[Wrong]:
    """Compare where units convert: what one parcel began, another makes whole.

    Nothing is told that did not leave, and once all has left, all is told.
    """
    for name, there in found.items():
        if name not in wanted:
            yield books.unexpected(f"shipment {name or 'without a number'} at {partner}")
        elif len(there) > 1:
            yield books.duplicated(f"shipment {name} {len(there)} times at {partner}")
    left = units_by_sku(line for one in wanted.values() for line in one["lines"])
    told: Units = Counter()
    for there in found.values():
        for one in there[:1]:
            told.update(units(books, one))
    lines = [{"sku": sku, "quantity": count} for sku, count in told.items()]
    packed, sold = books.packing(lines), units_by_sku(books.goods)
    if not packed <= left or (left == books.packing(books.goods) and told != sold):
        yield books.differs(partner, "shipments", left, packed)


def _fulfilled(books: OrderBooks, fulfilment: Mapping[str, Any]) -> Units:
    return _units_told(books, fulfilment["lines"], "id")


def _slipped(books: OrderBooks, slip: Mapping[str, Any]) -> Units:
    return _units_told(books, slip["lines"], "reference")


def _units_told(books: OrderBooks, lines: Sequence[Mapping[str, Any]], key: str) -> Units:
    """Add up lines that name the order's line by `key` instead of a SKU."""
    skus = {str(line["id"]): line["sku"] for line in books.order["lines"]}
    return units_by_sku(
        {"sku": skus.get(str(line[key]), f"line {line[key]}"), "quantity": line["quantity"]}
        for line in lines
    )
