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


SETS = {
    "SW": ADVICE,
    "OW": "ST*940*0001~W05*N*SO7-1*PO-1~N1*ST*Ann Poe*92*C-1~N4*Eugene*OR*97401*US~LX*1~"
    "W01*2*EA**VN*SKU-A~N9*LI*1~W76*2*1.5*LB~SE*9*0001~",
    "AR": "ST*943*0001~W06*N*TO-3*20261124**BOL-8~W04*98*EA**VN*SKU-A~W03*98~SE*5*0001~",
    "RE": "ST*944*0001~W17*F*20261125*RC-5*TO-3*BOL-8~"
    "W07*98*EA**VN*SKU-A***LOT4~W14*98*100*2~SE*5*0001~",
    "AW": "ST*947*0001~W15*20261126*ADJ-1*ADJ-1~W19*06*-3.5*EA**VN*SKU-B~SE*4*0001~",
    "IB": "ST*846*0001~BIA*00*CM*INV-1*20261126*0500~LIN*1*VN*SKU-A~QTY*17*95*EA~CTT*1~SE*6*0001~",
    "SH": "ST*856*0001~BSN*00*SHP-1*20261124*1710~HL*1**S~MAN*GM*00100000000000000017~HL*2*1*I~"
    "LIN**UP*100000000017~SN1**4*EA~CTT*2~SE*9*0001~",
    "QM": "ST*214*0001~B10*TRK1*SHP-1*FDEG~"
    "LX*1~AT7*AF*NS***20261124*1710*CT~MS1*Gary*IN*US~SE*6*0001~",
    "IN": "ST*810*0001~BIG*20261130*INV-3**PO-7~IT1*1*14*EA*.85**VN*PICK~TDS*1190~CTT*1~SE*6*0001~",
    "IM": "ST*210*0001~B3*B*FB-7*SHP-1*PP**20261130*1525****FDEG~N9*CN*TRK1*a>b~L1*1*12.75*FR*1525~"
    "L3*11.2*G***1525~SE*6*0001~",
    "FA": "ST*997*0001~AK1*OW*17~AK2*940*0001~"
    "AK3*W01*12**8~AK4*1*330*1~AK5*R*5~AK9*R*1*1*0~SE*8*0001~",
    "AN": "ST*180*0001~BGN*00*RET-1*20261126~N9*RM*R-1~SE*4*0001~",
    "RC": "ST*861*0001~BRA*RC-1*20261126~RCD*1*98*EA~LIN**VN*SKU-A~SE*5*0001~",
}
"""One small set of each document, by GS01."""


def file_of(functional_id: str, ends: str = "") -> str:
    """Wrap one set in a file; `ends` decorates the terminators."""
    group = GS.replace("SW", functional_id)
    text = f"{ISA}{group}{SETS[functional_id]}GE*1*42~IEA*1*000000042~"
    return text.replace("~", f"~{ends}")


FILES = (
    FILE,
    *(file_of(one) for one in SETS),
    file_of("IB", "\r\n  "),
    FILE.translate(str.maketrans({"*": "~", "~": "}", ">": "`"})),
    FILE.translate(str.maketrans({"~": "\n", ">": "|"})),
    FILE + "\n" + file_of("FA").translate(str.maketrans({"*": "|", "~": "\n", ">": "^"})),
    FILE.replace("Example", "Übersee").replace("*U*00401*", "*^*00501*"),
)
"""What the fuzzing tests start from."""
