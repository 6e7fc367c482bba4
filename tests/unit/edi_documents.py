"""Documents of an EDI warehouse as they lie in the inbox, from raw text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.x12.read import read, read_bare
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Segment, TransactionSet
from tests.unit.x12_parts import ISA

if TYPE_CHECKING:
    from collections.abc import Mapping

CHICAGO = {"zone": "America/Chicago"}
"""What a partner file says under `[connection]`, as far as meaning needs it."""
ADVICE = (
    "W06*F*SO1001-1*20261124*SHP-9001**PO-77~N1*WH*Example Warehouse*92*WH01~"
    "N1*ST*Jane Roe*92*C-500~N9*2I*TRK0000001~W27*U*FDEG*GROUND~LX*1~"
    "W12*CC*10*10**EA**VN*SKU-A*LOT42~N9*LI*1~LX*2~W12*BP*4*3*1*EA**VN*SKU-B~N9*LI*2~"
    "W03*13*11.2*LB~"
)
STATUS = "B10*TRK0000001*SHP-9001*FDEG~LX*1~AT7*AF*NS***20261124*1710*CT~MS1*CHICAGO*IL*US~"
GROUPS = {"945": "SW", "214": "QM", "940": "OW"}
LENIENT = Rules(
    **{one: Level.WARN for one in Rules.__slots__ if one not in {"production", "max_segments"}}
)
"""The rules of a partner whose files have every fault."""


def document(code: str, text: str) -> bytes:
    """Return a document of that content, the fourth segment of its file being its first."""
    segments = f"ST*{code}*0001~{text}SE*{text.count('~') + 2}*0001~"
    group = f"GS*{GROUPS[code]}*EXAMPLEWH*EXAMPLECO*20261124*1710*42*X*004010~"
    file = read(f"{ISA}{group}{segments}GE*1*42~IEA*1*000000042~".encode(), LENIENT)
    (found,) = file.accepted()
    return found.dumps().encode()


def of_segments(code: str, segments: list[list[str]]) -> bytes:
    """Return a document of these segments, whatever they hold: no codec has looked at them."""
    kept = TransactionSet.loads(document(code, "LX*1~"))
    made = tuple(Segment(tag, tuple(elements)) for tag, *elements in segments)
    return replace(kept, segments=made).dumps().encode()


def bare(data: bytes) -> bytes:
    """Return a document that has no envelope, as some samples are."""
    return read_bare(data, LENIENT).accepted().dumps().encode()


def sets(data: bytes) -> list[bytes]:
    """Return the documents of a file, whatever is wrong with their envelopes."""
    return [one.dumps().encode() for one in read(data, LENIENT).accepted()]


def with_profile(**profile: object) -> Mapping[str, object]:
    """Return connection settings with a profile."""
    return {**CHICAGO, "profile": profile}
