"""Resolve an order into the booking its ERP must make: every code found, every cent placed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from syncworkers.canonical.bookings import Booking, BookingCharge, BookingLine
from syncworkers.canonical.orders import Address, AdjustmentKind
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.units import UnitsPolicy
from syncworkers.rules import units as unit_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.canonical.orders import OrderLine, SalesOrder
    from syncworkers.policy.booking import BookingPolicy

NUMBER_LENGTH = 20
"""SalesOrderNumber in Dynamics 365 F&O."""
NO_CENTS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"}
    | {"XAF", "XOF", "XPF"}
)
THREE_PLACES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose smallest part is not a hundredth (ISO 4217)."""
TENDERS = frozenset({"gift_card", "store_credit", "reward_points"})
"""Payment gateways that must be booked as a tender of their own."""
UNCONVERTED = UnitsPolicy()
"""Everything is sold, kept and booked by the piece."""
ADDRESS_MISSING = Violation(
    path="shipping_address",
    code="address.missing",
    message="goods that are shipped need a delivery address: add it in the store",
)


def number(policy: BookingPolicy, order: SalesOrder) -> str:
    """Return the ERP number: it follows from the store's permanent id alone."""
    return f"{policy.order_prefix}{order.external_id}"


def reference(policy: BookingPolicy, order: SalesOrder) -> str:
    """Return what finds the order in the ERP after an unknown outcome."""
    return f"{policy.store}/{order.external_id}"


def book(
    policy: BookingPolicy,
    order: SalesOrder,
    customer: str | None,
    *,
    ships_from: Mapping[int, str],
    units: UnitsPolicy = UNCONVERTED,
) -> Booking:
    """Build the booking. Raises `RejectedError` with all violations at once.

    `ships_from` names the ERP's warehouse by the line's place, from 0; the others are booked on
    that of the country.
    """
    resolved = _Resolver(policy, order, customer, ships_from, units)
    booking = resolved.booking()
    if resolved.violations:
        raise RejectedError("cannot be booked", violations=resolved.violations)
    return booking


def gaps(
    policy: BookingPolicy, order: SalesOrder, units: UnitsPolicy = UNCONVERTED
) -> Sequence[Violation]:
    """Return what the tables lack to book an order, whoever the customer is, and ships it."""
    resolved = _Resolver(policy, order, "", {}, units)
    resolved.booking()
    return resolved.violations


def checked_address(address: Address) -> Address:
    """Return the address if parcels can go there; raises `RejectedError`."""
    missing = _missing_parts(address)
    if missing:
        raise RejectedError("the delivery address is incomplete", violations=missing)
    return address


def _missing_parts(address: Address) -> list[Violation]:
    return [
        Violation(
            path=f"shipping_address.{part}",
            code="address.incomplete",
            message=f"the delivery address has no {part}: complete it in the store",
        )
        for part in ("street", "city", "country")
        if not getattr(address, part)
    ]


@dataclass(slots=True)
class _Resolver:
    """Looks every code up and notes what is missing, so that a person sees all of it at once."""

    policy: BookingPolicy
    order: SalesOrder
    customer: str | None
    ships_from: Mapping[int, str]
    units: UnitsPolicy
    violations: list[Violation] = field(default_factory=list)

    def booking(self) -> Booking:
        order, policy = self.order, self.policy
        address = self._address()
        warehouse = next(iter(self.ships_from.values()), None) or self._warehouse(address)
        mode = self._delivery_mode()
        self._check_currency()
        lines = tuple(
            self._line(position, line, self.ships_from.get(position, warehouse), mode)
            for position, line in enumerate(order.lines)
        )
        charges = self._charges(lines)
        self._check(lines, charges)
        return Booking(
            company=policy.company,
            number=self._number(),
            reference=reference(policy, order),
            customer=self._customer(),
            customer_reference=order.po_number or order.number,
            name=order.customer_name or address.name,
            email=order.email,
            currency=order.currency,
            language=policy.language,
            taxes_included=order.taxes_included,
            warehouse=warehouse,
            delivery_mode=mode,
            payment_method=self._payment_method(),
            placed_on=order.placed_at.date(),
            address=address,
            lines=lines,
            charges=charges,
            total=order.total,
        )

    def _refuse(self, path: str, code: str, message: str) -> str:
        self.violations.append(Violation(path=path, code=code, message=message))
        return ""

    def _add(self, table: str, key: str) -> str:
        return f"add {key!r} to [{self.policy.store}.{table}] of config/booking.toml"

    def _number(self) -> str:
        made = number(self.policy, self.order)
        if len(made) > NUMBER_LENGTH:
            message = f"{made} is longer than {NUMBER_LENGTH}: choose a shorter order_prefix"
            return self._refuse("external_id", "number.too_long", message)
        return made

    def _customer(self) -> str:
        if self.customer is None:
            message = "a guest's order needs one_time_customer in config/booking.toml"
            return self._refuse("customer_id", "customer.unmapped", message)
        return self.customer

    def _address(self) -> Address:
        """Return where it goes; what needs no shipping goes to the billing address."""
        address = self.order.shipping_address
        if any(line.requires_shipping for line in self.order.lines):
            if address is None:
                self.violations.append(ADDRESS_MISSING)
            else:
                self.violations.extend(_missing_parts(address))
        return address or self.order.billing_address or Address()

    def _warehouse(self, address: Address) -> str:
        if not address.country:
            if any(line.requires_shipping for line in self.order.lines):
                return ""  # said already, as a missing address
            message = "neither a delivery nor a billing country says which warehouse books it"
            return self._refuse("billing_address.country", "address.missing", message)
        found = self.policy.warehouses.get(address.country)
        if found is None:
            message = f"no warehouse ships there; {self._add('warehouses', address.country)}"
            return self._refuse("shipping_address.country", "warehouse.unmapped", message)
        return found

    def _check_currency(self) -> None:
        allowed, currency = self.policy.currencies, self.order.currency
        if allowed and currency not in allowed:
            message = (
                f"company {self.policy.company} books no orders in {currency}: add it to currencies"
                f" of [{self.policy.store}] in config/booking.toml, or have another company ship it"
            )
            self._refuse("currency", "currency.unmapped", message)

    def _delivery_mode(self) -> str:
        if not any(line.requires_shipping for line in self.order.lines):
            return ""
        found = self.policy.delivery_modes.get(self.order.shipping_method)
        if found is None:
            message = (
                "no delivery mode for this shipping method; "
                f"{self._add('delivery_modes', self.order.shipping_method)}"
            )
            return self._refuse("shipping_method", "delivery_mode.unmapped", message)
        return found

    def _payment_method(self) -> str:
        mapped = [
            self.policy.payment_methods[gateway]
            for gateway in self.order.payment_gateways
            if gateway in self.policy.payment_methods
        ]
        for gateway in self.order.payment_gateways:
            if gateway in TENDERS and gateway not in self.policy.payment_methods:
                message = f"no tender for it; {self._add('payment_methods', gateway)}"
                self._refuse("payment_gateways", "payment_method.unmapped", message)
        return mapped[0] if mapped else ""

    def _line(self, position: int, line: OrderLine, warehouse: str, mode: str) -> BookingLine:
        unit_discount = _per_unit(line, self.order.currency)
        return BookingLine(
            reference=line.external_id,
            item=self._item(position, line),
            description=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
            unit_discount=unit_discount,
            amount=line.quantity * (line.unit_price - unit_discount),
            warehouse=warehouse,
            delivery_mode=mode if line.requires_shipping else "",
            unit=self._unit(position, line),
        )

    def _unit(self, position: int, line: OrderLine) -> str:
        if line.gift_card:
            return ""
        found = unit_rules.symbol(self.units, self.policy.erp, line.sku)
        if found is None:
            unit = self.units.sold_by(line.sku)
            message = (
                f"SKU {line.sku!r} is sold by {unit}, for which {self.policy.erp} has no symbol; "
                f"add {unit!r} to [symbols.{self.policy.erp}] of config/units.toml"
            )
            return self._refuse(f"lines[{position}].sku", unit_rules.UNMAPPED, message)
        return found

    def _item(self, position: int, line: OrderLine) -> str:
        path = f"lines[{position}].sku"
        if line.gift_card:
            if self.policy.gift_card_item is None:
                message = "set gift_card_item in config/booking.toml"
                return self._refuse(path, "gift_card.unmapped", message)
            return self.policy.gift_card_item
        found = self.policy.items.get(line.sku)
        if found is None:
            title = f"{line.title!r} has no SKU" if not line.sku else f"SKU {line.sku!r}"
            message = f"no item in the ERP for it ({title}); {self._add('items', line.sku)}"
            return self._refuse(path, "item.unmapped", message)
        return found

    def _charges(self, lines: tuple[BookingLine, ...]) -> tuple[BookingCharge, ...]:
        amounts: list[tuple[AdjustmentKind, str, Decimal, str]] = [
            (one.kind, one.code, one.amount, f"adjustments[{position}]")
            for position, one in enumerate(self.order.adjustments)
            if one.amount
        ]
        placed = sum((line.quantity * line.unit_discount for line in lines), Decimal(0))
        rest = sum((line.discount for line in self.order.lines), Decimal(0)) - placed
        if rest:
            amounts.append((AdjustmentKind.DISCOUNT, "line discounts", -rest, "lines"))
        return tuple(
            BookingCharge(
                code=self._charge_code(kind, path), description=code or kind.value, amount=amount
            )
            for kind, code, amount, path in amounts
        )

    def _charge_code(self, kind: AdjustmentKind, path: str) -> str:
        found = self.policy.charges.get(kind)
        if found is None:
            message = f"no charge code; {self._add('charges', kind.value)}"
            return self._refuse(path, "charge.unmapped", message)
        return found

    def _check(self, lines: tuple[BookingLine, ...], charges: tuple[BookingCharge, ...]) -> None:
        if not lines:
            message = "nothing is left to book: no line has a quantity"
            self._refuse("lines", "order.empty", message)
        placed = sum((line.amount for line in lines), Decimal(0))
        placed += sum((charge.amount for charge in charges), Decimal(0))
        if lines and placed != self.order.total:
            message = f"lines and charges come to {placed}, the store's total is {self.order.total}"
            self._refuse("total", "total.mismatch", message)


def _per_unit(line: OrderLine, currency: str) -> Decimal:
    """Return the discount of one unit, rounded down; the rest is booked as a charge."""
    if not line.quantity:
        return Decimal(0)
    return (line.discount / line.quantity).quantize(_smallest(currency), rounding=ROUND_DOWN)


def _smallest(currency: str) -> Decimal:
    if currency in NO_CENTS:
        return Decimal(1)
    return Decimal("0.001") if currency in THREE_PLACES else Decimal("0.01")
