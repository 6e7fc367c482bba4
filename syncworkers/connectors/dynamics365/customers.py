"""Customer accounts as batch operations, and what the answers to them mean.

An account is created under our own number, its key, so that a repeat collides. What stands there
under that number is ours, whatever its name: a person may have corrected it.
Contract: CustomersV3 (dataAreaId, CustomerAccount).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365.batch import Group, Operation
from syncworkers.connectors.dynamics365.comparison import differences
from syncworkers.connectors.dynamics365.odata import filter_address, set_address
from syncworkers.connectors.dynamics365.replies import done_or_not, etag_of, seen_or_not
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.secrets import EVIDENCE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.dynamics365.answers import Result
    from syncworkers.connectors.dynamics365.batch import GroupReply
    from syncworkers.connectors.dynamics365.settings import Settings

CREATE = "customer.create"
ACCOUNT = "CustomerAccount"


def company(request: Request) -> str:
    """Return the legal entity a request is for, as the ERP writes it."""
    return str(_customer(request)["dataAreaId"]).lower()


def evidence_of(request: Request) -> str:
    """Return what we send for a request, for a case."""
    return f"customer: {dump_json(_customer(request))}"[:EVIDENCE_LIMIT]


def is_create(request: Request) -> bool:
    """Say whether it makes something new: the only operation does."""
    return request.operation == CREATE


def change_groups(settings: Settings, request: Request) -> tuple[Group, ...]:
    """Return the create, in a change set of its own."""
    path = set_address(settings.customer_set)
    body = dump_json(_customer(request))
    return (Group((Operation(method="POST", path=path, body=body),)),)


def judge_change(_: Settings, request: Request, answers: Sequence[GroupReply]) -> Result:
    """Say what became of the create."""
    done = done_or_not(answers[0], change_of_key=False)
    if not isinstance(done, list):
        return done
    stands = done[0].fields() or {}
    found = differences(_customer(request), stands)
    return Outcome(
        verdict=Verdict.CONFIRMED,
        status=done[0].status,
        external_id=_account(request),
        external_version=etag_of(done[0], stands),
        error=f"the ERP keeps other values than sent: {'; '.join(found)}" if found else None,
    )


def look_groups(settings: Settings, request: Request) -> tuple[Group, ...]:
    """Return the read that looks the account up: where it is not there, its list is empty."""
    key = {"dataAreaId": company(request), ACCOUNT: _account(request)}
    return (Group((Operation(method="GET", path=filter_address(settings.customer_set, key)),)),)


def judge_look(_: Settings, request: Request, answers: Sequence[GroupReply]) -> Outcome:
    """Say whether the account stands there: ADOPTED, ABSENT, or RETRY for a look that failed."""
    rows = seen_or_not(answers)
    if not isinstance(rows, list):
        return rows
    if not rows[0]:
        return Outcome(verdict=Verdict.ABSENT, status=200)
    return Outcome(
        verdict=Verdict.ADOPTED,
        status=200,
        external_id=_account(request),
        external_version=etag_of(None, rows[0][0]),
    )


def _customer(request: Request) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = request.payload["customer"]
    return fields


def _account(request: Request) -> str:
    return str(_customer(request)[ACCOUNT])
