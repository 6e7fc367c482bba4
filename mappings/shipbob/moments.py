"""Times as ShipBob writes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mappings.schema import Instant


def moment(**options: Any) -> Instant:
    """Return the field of a time that may be absent; one without a zone is UTC."""
    return Instant(default_timezone=dt.UTC, allow_none=True, load_default=None, **options)
