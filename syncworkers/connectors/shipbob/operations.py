"""What a warehouse is asked to do with an order part."""

from __future__ import annotations

CREATE = "part.create"
READDRESS = "part.readdress"
CANCEL = "part.cancel"
OPERATIONS = frozenset({CREATE, READDRESS, CANCEL})
