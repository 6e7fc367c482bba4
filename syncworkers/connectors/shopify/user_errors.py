"""What Shopify says of input it refuses: errors without codes, told apart by field and message.

Contract: partner page, section 5. Messages are as seen in practice; Shopify promises none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.secrets import evidence
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

ALREADY_FULFILLED = "store.already_fulfilled"
NOT_FULFILLABLE = "store.not_fulfillable"
REFUSED = "store.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of refusal: where, in which words, what it is called, and what to do."""

    field: re.Pattern[str]
    message: re.Pattern[str]
    code: str
    remedy: str


def _kind(field: str, message: str, code: str, remedy: str) -> Kind:
    return Kind(
        field=re.compile(field),
        message=re.compile(message, re.IGNORECASE),
        code=code,
        remedy=remedy,
    )


KINDS: tuple[Kind, ...] = (
    _kind(
        r"fulfillmentId",
        r"cancell?ed",
        "store.fulfilment_cancelled",
        "it was called back in the store: settle it with them",
    ),
    _kind(
        r"fulfillmentId",
        r"not exist|not found",
        "store.fulfilment_unknown",
        "look whether it was deleted in the store",
    ),
    _kind(
        r"ownerId",
        r"not exist|not found",
        "store.order_missing",
        "look whether the order was deleted in the store",
    ),
    _kind(
        r"^metafields\.\d+\.",
        r"",
        "store.metafield_refused",
        "compare it with the metafield's definition in the store",
    ),
    _kind(
        r"",
        r"line item quantity|already (been )?fulfilled",
        ALREADY_FULFILLED,
        "compare the shipment with what is left to ship in the store",
    ),
    _kind(
        r"",
        r"unfulfillable status|on hold|fulfillment order does not exist",
        NOT_FULFILLABLE,
        "open it again in the store, then retry",
    ),
)
"""The first that fits counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """One reason why nothing was changed; `field` is the path in our input."""

    field: tuple[str, ...]
    message: str

    @property
    def position(self) -> int | None:
        """Return the place in the list `metafields`, if it is about one of them.

        Not by `elementIndex`: that counts inside a value that is a list.
        """
        if len(self.field) < 2 or self.field[0] != "metafields":
            return None
        return int(self.field[1]) if self.field[1].isdecimal() else None

    @property
    def violation(self) -> Violation:
        """Return the reason for a case."""
        path = ".".join(self.field)
        for kind in KINDS:
            if kind.field.search(path) and kind.message.search(self.message):
                told = f"{self.message} ({kind.remedy})"
                return Violation(path=path, code=kind.code, message=told)
        return Violation(path=path, code=REFUSED, message=self.message)


def read_user_errors(payload: Mapping[str, Any]) -> list[UserError]:
    """Read a mutation's refusals; raises `KeyError` or `TypeError` for another shape."""
    return [
        UserError(
            field=tuple(str(part) for part in one.get("field") or ()),
            message=evidence(str(one["message"]), limit=1000),
        )
        for one in payload["userErrors"]
    ]
