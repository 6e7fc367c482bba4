"""A store's customer as the ERP must know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer account under our own number, in one company.

    `number` follows from the store's permanent customer id alone, so that a repeat meets the same
    account. `name` is the whole name, `group` the ERP's customer group.
    """

    company: str
    number: str
    first_name: str
    last_name: str
    name: str
    group: str
    currency: str
    language: str

    @property
    def reference(self) -> str:
        """Return what finds the account in the ERP."""
        return self.number
