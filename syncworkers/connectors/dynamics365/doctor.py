"""What must work in an environment before the first order: token, role, entity sets, company."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.dynamics365.answers import Meaning, read_refusal
from syncworkers.connectors.dynamics365.odata import filter_address
from syncworkers.connectors.http import Call
from syncworkers.errors import CredentialsError, SyncError

if TYPE_CHECKING:
    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.settings import Settings


def check(environment: Environment, settings: Settings) -> list[str]:
    """Read one row of every set; return what does not work, each with its remedy."""
    problems = []
    for key in ("header_set", "line_set", "charge_set"):
        name = getattr(settings, key)
        address = filter_address(name, {"dataAreaId": settings.default_company})
        call = Call(method="GET", url=f"data/{address}&$top=1", read=True)
        try:
            answer = environment.call(call).answer
        except CredentialsError as error:
            return [str(error)]
        except SyncError as error:
            return [f"{settings.url} cannot be reached: {error}"]
        if answer.status == 200:
            continue
        refusal = read_refusal(answer.status, answer.body)
        if refusal.meaning is Meaning.DRIFT:
            problems.append(
                f"[connection] {key}: the environment has no entity set {name};"
                " name the one it has, see /metadata/DataEntities there"
            )
        elif answer.status == 403:
            problems.append(f"{name}: our user there lacks a role for it (403): {refusal.text}")
        else:
            problems.append(f"{name}: answered {answer.status}: {refusal.text}")
    return problems
