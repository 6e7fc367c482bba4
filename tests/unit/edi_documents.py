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
RECEIPT = (
    "W17*F*20261125*RC-55*TO-300*BOL-8~N1*WH*Example Warehouse*92*WH01~"
    "W07*98*EA**VN*SKU-A***LOT42~N9*LI*1~W13*2*EA*01~W14*98*100*2~"
)
ADJUSTMENT = (
    "W15*20261126*ADJ-12*ADJ-12~N1*WH*Example Warehouse*92*WH01~"
    "W19*AU*-3*EA**VN*SKU-B***LOT7~W19*XX*2.5*EA**VN*SKU-C~"
)
COUNT = (
    "BIA*00*CM*INV-20261126*20261126*0500~DTM*007*20261126*0500*GM~"
    "N1*WH*Example Warehouse*92*WH01~LIN*1*VN*SKU-A~QTY*17*95*EA~QTY*33*80*EA~"
    "LIN*2*UP*100000000017*VN*SKU-B~QTY*17*40~UIT*EA~QTY*99*7*EA~CTT*2~"
)
INVOICE = (
    "BIG*20261130*INV-3001**PO-77***DI~CUR*SE*USD~REF*BM*SHP-9001~IT1*1*14*EA*.85**VN*PICK~"
    "IT1*2*1*EA*6.5**VN*FREIGHT~TDS*1990~SAC*C*ZZZZ***150~CTT*2~"
)
FREIGHT_BILL = (
    "B3*B*FB-7001*SHP-9001*PP**20261130*1525****FDEG~C3*USD~N9*BM*SHP-9001~N9*CN*TRK0000001~LX*1~"
    "L5*1*PARCEL~L0*1***11.2*G***1*PCS~L1*1*12.75*FR*1275~L1*1***250****FUE~L3*11.2*G***1525~"
)
GROUPS = {
    "210": "IM",
    "214": "QM",
    "810": "IN",
    "846": "IB",
    "940": "OW",
    "944": "RE",
    "945": "SW",
    "947": "AW",
}
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
