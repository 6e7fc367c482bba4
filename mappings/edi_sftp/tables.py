"""What the codes of stock documents mean, unless a partner's profile says otherwise.

Source: elements 181, 412 and 673 of X12 004010, as public dictionaries list them: confirm them with
each partner. A code that is missing is never guessed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from syncworkers.canonical.stock import Condition, Counted, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

Word = TypeVar("Word", bound=StrEnum)

ADJUSTMENTS: Mapping[str, str] = {
    "04": Reason.CORRECTED,
    "05": Reason.HELD,
    "07": Reason.SCRAPPED,
    "51": Reason.FOUND,
    "53": Reason.CORRECTED,
    "55": Reason.RELEASED,
    "56": Reason.CORRECTED,
    "AA": Reason.COUNTED,
    "AB": Reason.CORRECTED,
    "AK": Reason.TRANSFERRED,
    "AR": Reason.CORRECTED,
    "AU": Reason.DAMAGED,
    "AV": Reason.DAMAGED,
    "AX": Reason.EXPIRED,
    "AY": Reason.CORRECTED,
}
"""W19-01: why stock was adjusted."""
CONDITIONS: Mapping[str, str] = {
    "01": Condition.DAMAGED,
    "02": Condition.SHORT,
    "03": Condition.OVER,
    "04": Condition.HELD,
}
"""W13-03: what is to be said of goods beside what came well."""
QUANTITIES: Mapping[str, str] = {"17": Counted.ON_HAND, "33": Counted.AVAILABLE}
"""QTY01: what is counted."""


def laid_over(
    base: Mapping[str, str], own: Mapping[str, str], words: type[Word], name: str
) -> dict[str, Word]:
    """Lay a partner's table over ours; raises `ValueError` for a word that is none of ours."""
    known = {str(one): one for one in words}
    for code, word in own.items():
        if word not in known:
            message = f"[connection.profile.{name}] {code} = {word!r} is none of "
            raise ValueError(message + ", ".join(known))
    return {code: known[word] for code, word in {**base, **own}.items()}
