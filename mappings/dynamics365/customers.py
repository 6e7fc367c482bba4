"""Customer accounts as F&O customers: raw fields of one record.

Contract: CustomersV3 of F&O 10.0.x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mappings.dynamics365.lengths import too_long
from mappings.refusals import refuse
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.customers import Account

Fields = dict[str, Any]

_MANDATORY = ("dataAreaId", "CustomerAccount", "CustomerGroupId", "SalesCurrencyCode")


def dump_account(account: Account) -> dict[str, Any]:
    """Return `customer`: a new account under our own number; raises `RejectedError`."""
    customer = {
        "dataAreaId": account.company.lower(),
        "CustomerAccount": account.number,
        **_party(account),
        "CustomerGroupId": account.group,
        "SalesCurrencyCode": account.currency,
    }
    if account.language:
        customer["LanguageId"] = account.language
    refuse(_violations(customer), who="the ERP")
    return {"customer": customer}


def _party(account: Account) -> Fields:
    """Say who it is: a person by a last name, else an organisation by the one name there is.

    F&O asks a person for a last name; an organisation's one name is recorded to be enough there.
    """
    if not account.last_name:
        name = account.name or account.first_name or account.number
        return {"PartyType": "Organization", "OrganizationName": name}
    first = {"PersonFirstName": account.first_name} if account.first_name else {}
    return {"PartyType": "Person", **first, "PersonLastName": account.last_name}


def _violations(customer: Fields) -> Iterator[Violation]:
    for name in _MANDATORY:
        if customer[name] == "":
            yield Violation(path=f"customer.{name}", code="field.missing", message="must be given")
    yield from too_long("customer", customer)
