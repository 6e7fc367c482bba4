"""The accounts that the customers of one batch have in the ERP, or may have to be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.writes import permanent
from syncworkers.policy.booking import CREATE
from syncworkers.rules import orders as order_rules
from syncworkers.store import customers, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading

Customer = tuple[str, str]
"""Store and the store's id of a customer."""


@dataclass(slots=True, kw_only=True)
class Holder:
    """A customer as far as accounts go: our id where one may be made, the account, is it owed."""

    id: int | None = None
    account: str | None = None
    owed: bool = False


class Accounts:
    """Finds the accounts, and locks those customers for whom one may have to be made."""

    def __init__(self, fleet: Fleet, session: Session) -> None:
        self._policy = fleet.policy
        self._session = session
        self._holders: dict[Customer, Holder] = {}

    def load(self, readings: Sequence[Reading]) -> None:
        """Read what is known of every customer that any message of the batch names."""
        bookings = self._policy.bookings
        named = {(one.partner, one.subject.customer_id) for one in readings}
        wanted = {
            (store, customer): (store, customer, bookings[store].erp, bookings[store].company)
            for store, customer in named
            if customer
        }
        found = customers.accounts(self._session, set(wanted.values()))
        self._holders = {one: Holder(account=found.get(key)) for one, key in wanted.items()}
        without = [
            one
            for one, key in wanted.items()
            if key not in found and bookings[one[0]].customers == CREATE
        ]
        seen = [
            customers.SeenCustomer(
                scope=self._policy.scope(store), partner=store, external_id=customer
            )
            for store, customer in without
        ]
        ids = customers.lock(self._session, seen)
        keys = {one: self._key(one, ids[one]) for one in without}
        states = outbox.states(self._session, set(keys.values()))
        for one in without:
            self._holders[one].id = ids[one]
            self._holders[one].owed = keys[one] in states

    def _key(self, customer: Customer, id_: int) -> str:
        effect = order_rules.account_key(self._policy.bookings[customer[0]])
        return permanent(effect, {(Kind.CUSTOMER, 0): id_})

    def of(self, store: str, order: SalesOrder) -> Holder:
        """Return the customer of a snapshot; a guest has nothing."""
        return self._holders.get((store, order.customer_id or ""), Holder())
