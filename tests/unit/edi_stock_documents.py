"""Documents as they lie in the inbox, written by hand."""

from __future__ import annotations

from syncworkers.x12.segments import Segment, TransactionSet


def body(code: str, text: str) -> bytes:
    """Make the body of a message from segments that end in `~`; ST and SE are left out."""
    written = [one.split("*") for one in text.strip().split("~") if one.strip()]
    segments = [
        Segment(tag.strip(), tuple(elements), number)
        for number, (tag, *elements) in enumerate(written, start=2)
    ]
    found = TransactionSet(code=code, control_number="0001", segments=tuple(segments), place=2)
    return found.dumps().encode()


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
