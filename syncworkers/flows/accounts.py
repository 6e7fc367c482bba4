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
    from syncworkers.policy.booking import BookingPolicy

Customer = tuple[str, str, str]
"""Store, the store's id of a customer, and a company of the ERP."""


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
        """Read what is known of every customer that any message of the batch names.

        In every company that may book for the store: which one it is follows from the route.
        """
        named = {(one.partner, one.subject.customer_id) for one in readings}
        policies = {
            (store, customer, policy.company): policy
            for store, customer in named
            if customer
            for policy in self._policy.bookings[store].all()
        }
        wanted = {
            one: (one[0], one[1], policy.erp, policy.company) for one, policy in policies.items()
        }
        found = customers.accounts(self._session, set(wanted.values()))
        self._holders = {one: Holder(account=found.get(key)) for one, key in wanted.items()}
        without = [
            one
            for one, policy in policies.items()
            if wanted[one] not in found and policy.customers == CREATE
        ]
        seen = {
            (store, customer): customers.SeenCustomer(
                scope=self._policy.scope(store), partner=store, external_id=customer
            )
            for store, customer, _ in without
        }
        ids = customers.lock(self._session, list(seen.values()))
        keys = {one: _key(policies[one], ids[one[:2]]) for one in without}
        states = outbox.states(self._session, set(keys.values()))
        for one in without:
            self._holders[one].id = ids[one[:2]]
            self._holders[one].owed = keys[one] in states

    def of(self, store: str, order: SalesOrder) -> dict[str, Holder]:
        """Return the customer of a snapshot, by company; a guest has nothing."""
        return {
            policy.company: self._holders.get(
                (store, order.customer_id or "", policy.company), Holder()
            )
            for policy in self._policy.bookings[store].all()
        }


def _key(policy: BookingPolicy, id_: int) -> str:
    return permanent(order_rules.account_key(policy), {(Kind.CUSTOMER, 0): id_})
