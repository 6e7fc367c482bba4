"""What must work in an environment before the first order: token, role, entity sets, companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.dynamics365.answers import Meaning, read_refusal
from syncworkers.connectors.dynamics365.odata import filter_address, load_fields
from syncworkers.connectors.http import Call
from syncworkers.errors import CredentialsError, SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

SETS = ("header_set", "line_set", "charge_set")


def check(environment: Environment, settings: Settings) -> list[str]:
    """Read a row of every set and our companies; return what does not work, with its remedy."""
    try:
        return [*_wrong_sets(environment, settings), *_wrong_companies(environment, settings)]
    except CredentialsError as error:
        return [str(error)]
    except SyncError as error:
        return [f"{settings.url} cannot be read: {error}"]


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
        elif answer.status == 403:
            yield f"{name}: our user there lacks a role for it (403): {refusal.text}"
        else:
            yield f"{name}: answered {answer.status}: {refusal.text}"


def _wrong_companies(environment: Environment, settings: Settings) -> Iterator[str]:
    for company in sorted(settings.companies):
        answer = _read(environment, filter_address("LegalEntities", {"LegalEntityId": company}))
        # Not every role may read legal entities: only a clear answer is a finding.
        if answer.status == 200 and _is_empty(answer):
            yield f"[connection] companies: the environment has no legal entity {company}"


def _read(environment: Environment, address: str) -> Answer:
    return environment.call(Call(method="GET", url=f"data/{address}&$top=1", read=True))


def _is_empty(answer: Answer) -> bool:
    try:
        fields = load_fields(answer.body)
    except ValueError:
        return False
    return isinstance(fields, dict) and fields.get("value") == []
