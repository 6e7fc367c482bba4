"""Which segments a document knows, and what their elements are.

Sources: the documents and samples this warehouse's partners exchange (004010 and its neighbours);
only what they show or state is checked. An element is `ID2-3` (type and length), `M` first where
it must be given, or `-` where nothing is known. AN text, ID code, N whole number (implied
decimals), R decimal, DT YYMMDD or CCYYMMDD, TM HHMM to HHMMSSDD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What one element may be."""

    kind: str
    least: int = 0
    most: int = 0
    """Longest length; 0 means no limit."""
    mandatory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One kind of transaction set."""

    functional_ids: tuple[str, ...]
    """GS01 of its groups; the first is the one to write."""
    mandatory: tuple[str, ...]
    """The segments without which it says nothing."""
    segments: frozenset[str]


def _document(functional_ids: str, mandatory: str, others: str) -> Document:
    needed = tuple(mandatory.split())
    return Document(
        functional_ids=tuple(functional_ids.split()),
        mandatory=needed,
        segments=frozenset((*needed, *others.split())),
    )


WRITTEN = re.compile(r"(M )?(-|[A-Z]+)(\d+)?(?:-(\d+))?")
TAG = re.compile("[A-Z][A-Z0-9]{1,2}")
"""What every tag looks like."""
ENVELOPES = frozenset({"ISA", "GS", "ST", "SE", "GE", "IEA"})
"""The segments that never stand within a set."""
PARTY = "N1 N2 N3 N4 PER"
DOCUMENTS = {
    "940": _document("OW", "W05", f"{PARTY} N9 G61 G62 NTE W66 LX W01 G69 W76"),
    "943": _document("AR", "W06", f"{PARTY} N9 G62 NTE W27 LX W04 G69 W03"),
    "944": _document("RE", "W17", f"{PARTY} N9 G62 NTE LX W07 G69 W13 W14"),
    "945": _document("SW", "W06", f"{PARTY} N9 G62 NTE W27 LX MAN W12 G69 G72 W03"),
    "947": _document("AW", "W15", f"{PARTY} N9 G62 NTE W19 G69"),
    "846": _document("IB", "BIA", f"{PARTY} CUR DTM REF LIN PID QTY UIT CTT"),
    "856": _document(
        "SH", "BSN HL", f"{PARTY} DTM MEA TD1 TD3 TD5 REF FOB PRF PID MAN LIN SN1 PO4 CLD CTT"
    ),
    "214": _document("QM", "B10", f"{PARTY} L11 MS3 LX AT7 MS1 MAN AT8"),
    "810": _document(
        "IN", "BIG TDS", f"{PARTY} NTE CUR REF ITD DTM FOB IT1 CTP PID SAC TXI CAD ISS CTT"
    ),
    "210": _document("IM", "B3", f"{PARTY} C3 ITD N9 G62 NTE N7 LX L5 L0 L1 L4 L7 L3 CD3"),
    "997": _document("FA", "AK1 AK9", "AK2 AK3 AK4 AK5"),
    "180": _document("AN BS", "BGN", f"{PARTY} N9 REF DTM NTE LX BLI RDR LQ QTY"),
    "861": _document("RC", "BRA", f"{PARTY} DTM REF NTE RCD LIN PID"),
}

_ELEMENTS = {
    # envelopes
    "GS": "M ID2, M AN2-15, M AN2-15, M DT, M TM, M N1-9, M ID1-2, M AN1-12",
    "GE": "M N1-6, M N1-9",
    "IEA": "M N1-5, M N1-9",
    "TA1": "M N1-9, M N6, M N4, M ID1, M ID3",
    "ST": "M ID3, M AN4-9",
    "SE": "M N1-10, M AN4-9",
    # parties, references, dates
    "N1": "M ID2-3, AN, ID1-2, AN",
    "N3": "M AN",
    "N4": "-, -, -, ID2-3",
    "N9": "M ID2-3",
    "REF": "M ID2-3",
    "L11": "M AN, ID2-3",
    "DTM": "M ID3, -, TM, ID2",
    "G62": "M ID2, DT",
    "LX": "M N1-9",
    "NTE": "ID3, M AN",
    "CUR": "M ID2-3, M ID3",
    # warehouse
    "W05": "M ID1, M AN, AN",
    "W06": "M ID1, AN, DT, AN, AN, AN",
    "W01": "M R, M ID2, AN, ID2, AN, ID2, AN",
    "W04": "M R, M ID2, AN, ID2, AN",
    "W07": "M R, M ID2, AN, ID2, AN, ID2, AN, AN",
    "W12": "M ID2, R, R, R, ID2, AN, ID2, AN, AN, R",
    "W13": "M R, M ID2",
    "W14": "M R",
    "W15": "M DT, AN, AN",
    "W17": "M ID1, M DT, M AN, AN, AN",
    "W19": "M ID2, M R, M ID2, AN, ID2, AN, ID2, AN, AN, R",
    "W27": "M ID1-2, ID2-4, AN",
    "W66": "M ID2, ID1-2, -, -, AN, -, -, -, -, ID2-4",
    "W03": "M R, R, ID2",
    "W76": "M R, R, ID2",
    "MAN": "M ID1-2, M AN",
    # stock
    "BIA": "M ID2, M ID2, M AN, M DT, TM",
    "LIN": "AN, M ID2, M AN, ID2, AN, ID2, AN",
    "QTY": "M ID2, R",
    "UIT": "M ID2",
    "CTT": "M N1-6",
    # ship notice, tracking, receipt, return
    "BSN": "M ID2, AN, M DT, M TM",
    "HL": "M AN, AN, M ID1-2",
    "PRF": "M AN",
    "SN1": "AN, M R, M ID2",
    "B10": "AN, AN, M ID2-4",
    "AT7": "ID2, ID2-3, ID2, ID2-3, DT, TM, ID2",
    "MS1": "AN, AN, ID2-3, AN, AN",
    "BRA": "M AN, M DT",
    "RCD": "-, R, -, R, -, R, -, ID2",
    "BGN": "M ID2, M AN, M DT",
    # charges
    "BIG": "M DT, M AN, DT, AN",
    "IT1": "AN, R, ID2, R",
    "TDS": "M N1-15",
    "SAC": "M ID1, -, -, -, N1-15",
    "B3": "-, M AN, AN, ID2, -, M DT, M N1-12, -, -, -, ID2-4, DT",
    "C3": "M ID3",
    "L0": "N1-3, -, -, R, -, -, -, N1-7",
    "L1": "N1-3, R, -, N1-12",
    "L3": "R, -, -, -, N1-12",
    # acknowledgement
    "AK1": "M AN, M AN",
    "AK2": "M AN, M AN",
    "AK3": "M ID2-3, M N1-6",
    "AK4": "M AN, N1-4, M ID1-3",
    "AK5": "M ID1, ID1-3, ID1-3, ID1-3, ID1-3, ID1-3",
    "AK9": "M ID1, M N1-6, M N1-6, M N1-6, ID1-3, ID1-3, ID1-3, ID1-3, ID1-3",
}


def _element(text: str) -> Element:
    mandatory, kind, least, most = WRITTEN.fullmatch(text).groups()  # type: ignore[union-attr]
    return Element(
        kind=kind,
        least=int(least or 0),
        most=int(most or least or 0),
        mandatory=mandatory is not None,
    )


ELEMENTS = {
    tag: tuple(_element(one) for one in text.split(", ")) for tag, text in _ELEMENTS.items()
}
"""What the elements of a segment are, in order; a segment that is not here is not checked."""
