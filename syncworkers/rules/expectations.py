"""Expectations: which hand-over begins, meets or ends which; `config/sla.toml` has the times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.rules import effects

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOKED = "erp_booked"
RELEASED = "released"
ACKNOWLEDGED = "acknowledged"
SHIPPED = "shipped"
STORE_TOLD = "store_told"
INVOICED = "invoiced"
PARENT_KNOWN = "parent_known"
"""What came before its order waits for it so long; it has no row, only a due time."""

MEETS: Mapping[tuple[str, str], str] = {
    ("erp", effects.ORDER_CREATE): BOOKED,
    ("warehouse", effects.PART_CREATE): RELEASED,
    ("store", effects.SHIPMENT_CREATE): STORE_TOLD,
}
"""By the partner's role and the operation: what its confirmation meets."""
BEGINS: Mapping[str, tuple[str, ...]] = {effects.PART_CREATE: (ACKNOWLEDGED, SHIPPED)}
"""By operation: what must follow its confirmation."""
ENDS: Mapping[str, tuple[str, ...]] = {effects.PART_CANCEL: (ACKNOWLEDGED, SHIPPED)}
"""By operation: what need not follow any more once it is confirmed."""
