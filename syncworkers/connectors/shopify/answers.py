"""What an answer of Shopify means: one table by status, one by GraphQL error code.

Contract: partner page, section 5. Only reads stand here: a repeat changes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from syncworkers.connectors.secrets import evidence
from syncworkers.errors import CredentialsError, RejectedError, RetryableError, Violation

if TYPE_CHECKING:
    from syncworkers.connectors.http import Answer

SHOP_CLOSED = {402: "frozen", 423: "locked", 430: "refused for security"}
"""The whole shop, for longer: nothing is worth trying for minutes."""
CLOSED_WAIT = 300.0
THROTTLE_WAIT = 2.0
SERVER_WAIT = 2.0


def read_answer(answer: Answer) -> dict[str, Any]:
    """Return the whole GraphQL answer, `data` and `extensions`.

    Raises `RetryableError`, `CredentialsError` (401) or `RejectedError`.
    """
    if answer.status == 401:
        raise CredentialsError("Shopify refuses our token (401)")
    if answer.status in SHOP_CLOSED:
        told = f"the shop is {SHOP_CLOSED[answer.status]} ({answer.status})"
        raise RetryableError(told, after=CLOSED_WAIT, throttled=True)
    if answer.status == 429:
        wait = answer.retry_after
        raise RetryableError(
            "Shopify wants quiet (429)",
            after=THROTTLE_WAIT if wait is None else wait,
            throttled=True,
        )
    if answer.status in {403, 404}:
        told = "look at the app's scopes" if answer.status == 403 else "look at url and api_version"
        _reject("partner.refused", f"Shopify answers {answer.status}: {told}")
    whole = _object(answer)
    if answer.status != 200 or whole is None:
        told = f"Shopify answers {answer.status}, not GraphQL"
        raise RetryableError(told, after=answer.retry_after or SERVER_WAIT)
    if whole.get("errors"):
        _judge(whole)
    if not isinstance(whole.get("data"), dict):
        raise RetryableError("Shopify's answer has no data", after=SERVER_WAIT)
    return whole


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        whole = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) else None


def _judge(whole: dict[str, Any]) -> None:
    """Classify top-level errors; data that came along is not used."""
    errors = whole["errors"] if isinstance(whole["errors"], list) else [whole["errors"]]
    codes = {_code(error) for error in errors}
    told = evidence("; ".join(_message(error) for error in errors), limit=500)
    if "THROTTLED" in codes:
        raise RetryableError(told, after=wait_for_points(whole), throttled=True)
    if "INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes:
        raise RetryableError(told, after=SERVER_WAIT)
    code = "partner.query_too_big" if "MAX_COST_EXCEEDED" in codes else "partner.contract"
    _reject(code, f"Shopify refuses our query: {told}")


def _code(error: Any) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _message(error: Any) -> str:
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _reject(code: str, message: str) -> NoReturn:
    raise RejectedError(message, violations=[Violation(path="", code=code, message=message)])


def wait_for_points(whole: dict[str, Any]) -> float:
    """Return the seconds until the bucket holds what the query costs."""
    try:
        cost = whole["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.1, lacking / float(status["restoreRate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return THROTTLE_WAIT
