"""The ERP's books: entity sets with keys, ETags, defaults, and change sets that roll back."""

from __future__ import annotations

import base64
import itertools
import re
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.dynamics365 import entities
from syncworkers.sandbox.dynamics365.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Record = dict[str, Any]
Key = tuple[str, ...]
_PLAUSIBLE = re.compile(r"[A-Za-z0-9 _./-]{1,40}")


class WriteError(Exception):
    """F&O refuses a write; the text is its infolog."""

    def __init__(self, entity: str, infolog: str, *, status: int = 400) -> None:
        super().__init__(f"Write failed for table row of type '{entity}'. Infolog: {infolog}")
        self.status = status


class MissingError(Exception):
    """404: no such key."""


class StaleError(Exception):
    """412: the ETag is not the present one."""


@dataclass(slots=True)
class Master:
    """Which items, customers and warehouses exist; None accepts whatever is plausible.

    A customer that was created exists too.
    """

    items: frozenset[str] | None = None
    customers: frozenset[str] | None = None
    customer_groups: frozenset[str] | None = None
    warehouses: Mapping[str, str] | None = None
    """Warehouse → site; "" for one without."""

    def site_of(self, warehouse: str) -> str | None:
        """Return the warehouse's site; None if there is no such warehouse."""
        if self.warehouses is None:
            return "1" if _PLAUSIBLE.fullmatch(warehouse) else None
        return self.warehouses.get(warehouse)

    def has(self, kind: str, name: str) -> bool:
        """Say whether an item, customer or customer group exists."""
        known: frozenset[str] | None = getattr(self, kind)
        return bool(_PLAUSIBLE.fullmatch(name)) if known is None else name in known


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A posted packing slip; `lines` are units by the order line's reference.

    `posted_at` is in seconds of Unix time.
    """

    company: str
    shipment_id: str
    order: str
    number: str
    posted_at: float
    tracking_number: str
    lines: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A posted invoice: its header and lines as records; `posted_at` in seconds of Unix time."""

    header: Record
    lines: tuple[Record, ...]
    posted_at: float


class Books:
    """All entity sets of the environment; one lock, held for a whole change set."""

    def __init__(self, companies: frozenset[str], default_company: str) -> None:
        self.companies = companies
        self.default_company = default_company
        self.lock = threading.RLock()
        self.sets: dict[str, Table] = {name: Table() for name in entities.KEYS}
        self.known_before: set[Key] = set()
        """Customers that nobody created through us."""
        self._master = Master()
        self._parts: dict[tuple[str, Key], list[Record]] = {}
        """By set and order: its lines, its charges."""
        self.created_at: dict[Key, float] = {}
        """By order."""
        self.delivered: dict[str, Decimal] = defaultdict(Decimal)
        """Units on packing slips, by lot."""
        self.invoiced: dict[str, Decimal] = defaultdict(Decimal)
        """Units on invoices, by lot."""
        self.slips: dict[Key, list[Slip]] = defaultdict(list)
        """By order."""
        self.invoices: dict[Key, list[Posted]] = defaultdict(list)
        """By order."""
        self.fail_next_line: list[str] = []
        """Switch: refuse the next second line with this infolog."""
        self._undo: list[Callable[[], None]] = []
        self._depth = 0
        self._sequence = itertools.count(1)
        self._versions = itertools.count(1_000_001)
        for company in companies:
            record = {"LegalEntityId": company, "Name": company.upper()}
            self.sets["LegalEntities"][(company,)] = record

    @property
    def master(self) -> Master:
        """Say what exists from the beginning."""
        return self._master

    @master.setter
    def master(self, master: Master) -> None:
        table = self.sets["CustomersV3"]
        with self.lock:
            for key in self.known_before:
                del table[key]
            names = master.customers or ()
            new: set[Key] = {(one, name) for one in self.companies for name in names}
            self.known_before = new - table.keys()
            for key in self.known_before:
                named = {"dataAreaId": key[0], "CustomerAccount": key[1]}
                table[key] = {**entities.CUSTOMER, **named, "OrganizationName": key[1]}
                self.stamp(table[key])
            self._master = master

    @contextmanager
    def change_set(self) -> Iterator[Callable[[], None]]:
        """All or nothing, by an error or by calling what is given; one inside another is part."""
        with self.lock:
            first = len(self._undo)
            self._depth += 1

            def undo_all() -> None:
                for undo in reversed(self._undo[first:]):
                    undo()
                del self._undo[first:]

            try:
                yield undo_all
            except Exception:
                undo_all()
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._undo.clear()

    def create(self, set_name: str, sent: Record) -> Record:
        """Create a record; defaults are filled after the caller's fields."""
        company = str(sent.get("dataAreaId") or self.default_company).lower()
        if company not in self.companies:
            raise WriteError(set_name, f"Error: The company {company} does not exist.")
        fill = {
            "SalesOrderHeadersV2": self._header,
            "SalesOrderLinesV3": self._line,
            "SalesOrderHeaderChargesV2": self._charge,
            "CustomersV3": self._customer,
        }.get(set_name)
        if fill is None:
            raise WriteError(set_name, "Error: The entity is read-only here.")
        record = fill({**sent, "dataAreaId": company})
        key = entities.key_of(set_name, record)
        table = self.sets[set_name]
        if key in table:
            raise WriteError(set_name, f"Error: Cannot create a record. {entities.EXISTS}")
        self.stamp(record)
        table[key] = record
        self._undo.append(lambda: table.__delitem__(key))
        if set_name == "SalesOrderHeadersV2":
            self.created_at[key] = time.time()
        if set_name in {"SalesOrderLinesV3", "SalesOrderHeaderChargesV2"}:
            parts = self._parts.setdefault((set_name, entities.order_key(record)), [])
            parts.append(record)
            self._undo.append(lambda: parts.remove(record))
        return record

    def stamp(self, record: Record) -> None:
        """Give a record a new ETag: it changed."""
        raw = f"'1,{next(self._versions)}'".encode()
        record["@odata.etag"] = f'W/"{base64.b64encode(raw).decode()}"'

    def update(self, set_name: str, key: Key, sent: Record, etag: str | None) -> Record:
        """Change the given fields. Without an ETag it succeeds: optimistic locking is opt-in."""
        table = self.sets[set_name]
        record = table.get(key)
        if record is None:
            raise MissingError
        if etag not in {None, "*", record["@odata.etag"]}:
            raise StaleError
        before = dict(record)
        if set_name == "SalesOrderHeadersV2":
            self._check_header_change(record, sent)
        record.update(sent)
        self.stamp(record)
        if sent.get("SalesOrderStatus") == "Canceled":
            self._cancel_lines(record)

        def undo() -> None:
            record.clear()
            record.update(before)

        self._undo.append(undo)
        return record

    def _check_header_change(self, record: Record, sent: Record) -> None:
        entity = "SalesOrderHeaderV2Entity"
        unknown = sorted(set(sent) - set(entities.HEADER))
        if unknown:
            raise WriteError(entity, f"Error: The property '{unknown[0]}' does not exist.")
        state = entities.TOO_LATE.get(record["SalesOrderProcessingStatus"])
        if state is not None:
            raise WriteError(entity, f"Error: Order is {state} and cannot be changed.")
        if sent.get("SalesOrderStatus") == "Canceled":
            sent["SalesOrderProcessingStatus"] = "Canceled"

    def _cancel_lines(self, header: Record) -> None:
        for line in self.lines_of(header):
            line["SalesOrderLineStatus"] = "Canceled"

            def undo(line: Record = line) -> None:
                line["SalesOrderLineStatus"] = "Backorder"

            self._undo.append(undo)

    def lines_of(self, header: Record) -> list[Record]:
        """Return the lines of an order, in their order."""
        return list(self._parts.get(("SalesOrderLinesV3", entities.order_key(header)), ()))

    def charges_of(self, header: Record) -> list[Record]:
        """Return the charges of an order."""
        return list(self._parts.get(("SalesOrderHeaderChargesV2", entities.order_key(header)), ()))

    def _header(self, sent: Record) -> Record:
        entity = "SalesOrderHeaderV2Entity"
        customer = str(sent.get("OrderingCustomerAccountNumber") or "")
        if not customer:
            raise WriteError(entity, "Error: Field 'Customer account' must be filled in.")
        known = (sent["dataAreaId"], customer) in self.sets["CustomersV3"]
        if not known and not self.master.has("customers", customer):
            raise WriteError(entity, entities.not_found(customer, "Customer account", "Customers"))
        unknown = sorted(set(sent) - set(entities.HEADER))
        if unknown:
            raise WriteError(entity, f"Error: The property '{unknown[0]}' does not exist.")
        record = {**entities.HEADER, **_filled(sent)}
        record["SalesOrderNumber"] = (
            record["SalesOrderNumber"] or f"{sent['dataAreaId'].upper()}-{next(self._sequence):06}"
        )
        warehouse = record["DefaultShippingWarehouseId"]
        record["DefaultShippingSiteId"] = (warehouse and self.master.site_of(warehouse)) or ""
        record["InvoiceCustomerAccountNumber"] = record["InvoiceCustomerAccountNumber"] or customer
        record["SalesOrderStatus"] = "Backorder"
        record["OrderCreationDateTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        record["FormattedDelveryAddress"] = entities.formatted(record)
        return record

    def _line(self, sent: Record) -> Record:
        entity = "SalesOrderLineV3Entity"
        header = self.sets["SalesOrderHeadersV2"].get(entities.order_key(sent))
        if header is None:
            raise WriteError(entity, "Error: The sales order does not exist.")
        unknown = sorted(set(sent) - set(entities.LINE))
        if unknown:
            raise WriteError(entity, f"Error: The property '{unknown[0]}' does not exist.")
        item = str(sent.get("ItemNumber") or "")
        if not self.master.has("items", item):
            raise WriteError(entity, entities.not_found(item, "Item number", "Items"))
        before = len(self.lines_of(header))
        if before and self.fail_next_line:
            raise WriteError(entity, self.fail_next_line.pop(0))
        warehouse = sent.get("ShippingWarehouseId") or header["DefaultShippingWarehouseId"]
        site = sent.get("ShippingSiteId") or (self.master.site_of(warehouse) if warehouse else "")
        if not site:
            raise WriteError(entity, entities.SITE)
        record = {**entities.LINE, **_filled(sent)}
        quantity, price = Decimal(record["OrderedSalesQuantity"]), Decimal(record["SalesPrice"])
        amount = quantity * (price - Decimal(record["LineDiscountAmount"]))
        record |= {
            "InventoryLotId": f"LOT-{next(self._sequence):08}",
            "ShippingWarehouseId": warehouse,
            "ShippingSiteId": site,
            "LineNumber": before + 1,
            "LineAmount": amount.quantize(Decimal("0.01")),
            "CurrencyCode": header["CurrencyCode"],
            "SalesOrderLineStatus": "Backorder",
        }
        return record

    def _charge(self, sent: Record) -> Record:
        entity = "SalesOrderHeaderChargeV2Entity"
        if entities.order_key(sent) not in self.sets["SalesOrderHeadersV2"]:
            raise WriteError(entity, "Error: The sales order does not exist.")
        unknown = sorted(set(sent) - set(entities.CHARGE))
        if unknown:
            raise WriteError(entity, f"Error: The property '{unknown[0]}' does not exist.")
        if not sent.get("SalesChargeCode"):
            raise WriteError(entity, "Error: Field 'Charges code' must be filled in.")
        return {**entities.CHARGE, **_filled(sent)}

    def _customer(self, sent: Record) -> Record:
        entity = "CustCustomerV3Entity"
        unknown = sorted(set(sent) - set(entities.CUSTOMER))
        if unknown:
            raise WriteError(entity, f"Error: The property '{unknown[0]}' does not exist.")
        record = {**entities.CUSTOMER, **_filled(sent)}
        is_person = record["PartyType"] == "Person"
        name = "PersonLastName" if is_person else "OrganizationName"
        for field, label in ((name, "Name"), ("CustomerGroupId", "Customer group")):
            if not record[field]:
                raise WriteError(entity, f"Error: Field '{label}' must be filled in.")
        group = record["CustomerGroupId"]
        if not self.master.has("customer_groups", group):
            raise WriteError(entity, entities.not_found(group, "Customer group", "Customer groups"))
        account = record["CustomerAccount"] or f"C-{next(self._sequence):06}"
        whole = " ".join(filter(None, (record["PersonFirstName"], record["PersonLastName"])))
        named = whole if is_person else record["OrganizationName"]
        return record | {
            "CustomerAccount": account,
            "PartyNumber": f"{next(self._sequence):09}",
            "NameAlias": named[:20],  # cut without a word, there too
        }


def _filled(sent: Record) -> Record:
    """Null is not null there: it is an empty text."""
    return {name: "" if value is None else value for name, value in sent.items()}
