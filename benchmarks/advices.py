"""Files of X12 documents, of any size: many of them, or few that are huge."""

from __future__ import annotations

ORDINARY, HUGE = 10, 40_000
"""Lines of a document: of 670 bytes, as an order's has, or of 2.5 MB."""
_HEAD = (
    "ISA*00*          *00*          *ZZ*EXAMPLEWH      *ZZ*EXAMPLECO      *261124*1200*U*00401"
    "*000000001*0*T*>~GS*{group}*EXAMPLEWH*EXAMPLECO*20261124*1200*1*X*004010~"
)
_GROUPS = {"945": "SW", "180": "AN"}


def file_of(size: int, *, lines: int = ORDINARY, code: str = "945") -> bytes:
    """Write a file of at least `size` bytes: shipping advices 945, or 180s that nobody reads.

    Its orders are named as ours are, and are not known: their advices wait for them.
    """
    write = _advice if code == "945" else _return
    parts = [_HEAD.format(group=_GROUPS[code])]
    have, count = 0, 0
    while have < size:
        count += 1
        parts.append(write(count, lines))
        have += len(parts[-1])
    parts.append(f"GE*{count}*1~IEA*1*000000001~")
    return "".join(parts).encode()


def _advice(number: int, lines: int) -> str:
    head = (
        f"W06*F*shopify-us-{9_000_000_000 + number}-1*20261124*SHIP{number}",
        "N1*SF*HARBOR EAST*9*WH01",
        "N1*ST*JANE EXAMPLE",
        "N3*100 MAIN STREET",
        "N4*NEWARK*NJ*07102*US",
        "W27*M*UPSN*GROUND",
        f"N9*2I*1Z999AA1{number:010}",
    )
    goods = (
        f"LX*{line}~W12*CC*2*2**EA**SK*SKU-{line:05}*LOT{line}~N9*LI*{line}"
        for line in range(1, lines + 1)
    )
    body = "~".join((*head, *goods, f"W03*{2 * lines}"))
    return _set("945", number, body, len(head) + 3 * lines + 1)


def _return(number: int, lines: int) -> str:
    head = (f"BGN*00*RET-{number}*20261124", "N1*ST*JANE EXAMPLE")
    goods = (f"BLI*SK*SKU-{line:05}*2*EA***LOT{line}" for line in range(1, lines + 1))
    return _set("180", number, "~".join((*head, *goods)), len(head) + lines)


def _set(code: str, number: int, body: str, segments: int) -> str:
    return f"ST*{code}*{number:04}~{body}~SE*{segments + 2}*{number:04}~"
