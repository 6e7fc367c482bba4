"""What must work in an environment first: token, role, entity sets, companies, our service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from syncworkers.connectors.dynamics365.answers import Meaning, read_refusal
from syncworkers.connectors.dynamics365.odata import filter_address
from syncworkers.connectors.dynamics365.shipments import results_of, service_call, service_gone
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.http import Call
from syncworkers.connectors.inspecting import (
    RIGHTS,
    VersionEnd,
    clock,
    complaints,
    first_call,
    reading,
    version,
)
from syncworkers.errors import CredentialsError, SyncError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from syncworkers.connectors.cutover import CheckResult
    from syncworkers.connectors.dynamics365.answers import Refusal
    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

VERSION = "OData 4.0"
VERSIONS: Mapping[str, VersionEnd] = {
    VERSION: VersionEnd(
        last=None,
        source="F&O is evergreen, 10.0.x; which entity sets live is configuration"
        " (learn.microsoft.com: One Version service updates)",
    )
}
SETS = (
    "header_set",
    "line_set",
    "charge_set",
    "customer_set",
    "invoice_header_set",
    "invoice_line_set",
)
FORBIDDABLE = frozenset({"customer_set"})
"""Without a role for them all is well, as long as no customers are to be created."""


def check(environment: Environment, settings: Settings) -> list[str]:
    """Read a row of every set and our companies; return what does not work, with its remedy."""
    try:
        return [
            *_wrong_sets(environment, settings),
            *_wrong_companies(environment, settings),
            *_wrong_service(environment, settings),
        ]
    except CredentialsError as error:
        return [str(error)]
    except SyncError as error:
        return [f"{settings.url} cannot be read: {error}"]


def inspect(environment: Environment, settings: Settings, today: dt.date) -> list[CheckResult]:
    """Look at everything, thing by thing."""
    address = filter_address(settings.header_set, {"dataAreaId": settings.default_company})
    found, answer = first_call(lambda: _read(environment, address), settings.url)
    found.append(clock(environment.ahead))
    if answer is None:
        return found
    found.append(version(VERSION, VERSIONS, today))
    looks = (
        (RIGHTS, _wrong_sets, "every entity set can be read", "grant our user its roles"),
        ("companies", _wrong_companies, "all are there", "correct [connection] companies"),
        ("packing slip service", _wrong_service, "answers", "deploy it as docs/dynamics365 says"),
    )
    for name, look, well, remedy in looks:
        try:
            wrong = list(look(environment, settings))
        except SyncError as error:
            wrong = [str(error)]
        found.append(complaints(name, wrong, well=well, remedy=remedy))
    found.append(reading(lambda: f"{settings.header_set} answered {answer.status}"))
    return found


def _wrong_sets(environment: Environment, settings: Settings) -> Iterator[str]:
    for key in SETS:
        name = getattr(settings, key)
        address = filter_address(name, {"dataAreaId": settings.default_company})
        answer = _read(environment, address)
        if answer.status == 200:
            continue
        refusal = read_refusal(answer.status, answer.body)
        if refusal.meaning is Meaning.DRIFT:
            yield (
                f"[connection] {key}: the environment has no entity set {name};"
                " name the one it has, see /metadata/DataEntities there"
            )
        elif answer.status != 403 or key not in FORBIDDABLE:
            yield _complaint(name, refusal)


def _complaint(name: str, refusal: Refusal) -> str:
    if refusal.status == 403:
        return f"{name}: our user there lacks a role for it (403): {refusal.text}"
    return f"{name}: answered {refusal.status}: {refusal.text}"


def _wrong_companies(environment: Environment, settings: Settings) -> Iterator[str]:
    for company in sorted(settings.companies):
        answer = _read(environment, filter_address("LegalEntities", {"LegalEntityId": company}))
        # Not every role may read legal entities: only a clear answer is a finding.
        if answer.status == 200 and _is_empty(answer):
            yield f"[connection] companies: the environment has no legal entity {company}"


def _wrong_service(environment: Environment, settings: Settings) -> Iterator[str]:
    """Look for no shipment at all: an empty list of results is the right answer."""
    if not settings.shipment_service:
        return
    answer = environment.call(service_call(settings, "find", {"shipmentIds": []}))
    if answer.status == 200 and results_of(answer.body) is not None:
        return
    refusal = read_refusal(answer.status, answer.body)
    if refusal.meaning is Meaning.DRIFT:
        yield service_gone(settings, refusal.text)
    else:
        yield _complaint(settings.shipment_service, refusal)


def _read(environment: Environment, address: str) -> Answer:
    return environment.call(Call(method="GET", url=f"data/{address}&$top=1", read=True))


def _is_empty(answer: Answer) -> bool:
    try:
        fields = load_json(answer.body)
    except ValueError:
        return False
    return isinstance(fields, dict) and fields.get("value") == []
