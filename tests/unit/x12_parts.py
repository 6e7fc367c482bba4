"""Files that the tests of the codec read, written by hand."""

from __future__ import annotations

import datetime as dt

from syncworkers.x12.segments import segment
from syncworkers.x12.write import OutGroup, OutInterchange, OutSet

AT = dt.datetime(2026, 11, 23, 9, 5)  # noqa: DTZ001 - the partner's clock has no zone
ISA = (
    "ISA*00*          *00*          *ZZ*EXAMPLEWH      *ZZ*EXAMPLECO      "
    "*261124*1710*U*00401*000000042*0*P*>~"
)
ADVICE = (
    "ST*945*0001~W06*F*SO1001-1*20261124*SHP-9001**PO-77~N1*WH*Example Warehouse*92*WH01~"
    "N9*2I*TRK0000001~W27*U*FDEG*GROUND~LX*1~W12*CC*10*10**EA**VN*SKU-A*LOT42~N9*LI*1~LX*2~"
    "W12*BP*4*3*1*EA**VN*SKU-B~N9*LI*2~W03*13*11.2*LB~SE*13*0001~"
)
SECOND = "ST*945*0002~W06*F*SO1002-1*20261124*SHP-9002~LX*1~W12*CC*1*1**EA**VN*SKU-C~SE*5*0002~"
GS = "GS*SW*EXAMPLEWH*EXAMPLECO*20261124*1710*42*X*004010~"
END = "GE*2*42~IEA*1*000000042~"
FILE = f"{ISA}{GS}{ADVICE}{SECOND}{END}"
"""Two ship advices in one group."""


def order(number: int = 1) -> OutSet:
    """A ship order of two lines."""
    return OutSet(
        code="940",
        control_number=f"{number:04d}",
        segments=(
            segment("W05", "N", f"SO100{number}-1", "PO-77"),
            segment("N1", "ST", "Jane Roe", "92", "C-500"),
            segment("LX", "1"),
            segment("W01", "10", "EA", "", "VN", "SKU-A", ""),
            segment("N9", "LI", "1"),
            segment("W76", "10", "12.5", "LB"),
        ),
    )


def outgoing(*sets: OutSet) -> OutInterchange:
    """An interchange of one group, ours to the warehouse."""
    group = OutGroup(
        functional_id="OW",
        sender="EXAMPLECO",
        receiver="EXAMPLEWH",
        control_number=17,
        sets=sets,
    )
    return OutInterchange(
        sender_qualifier="ZZ",
        sender="EXAMPLECO",
        receiver_qualifier="ZZ",
        receiver="EXAMPLEWH",
        control_number=17,
        at=AT,
        groups=(group,),
    )
