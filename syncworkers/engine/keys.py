"""Line keys: 64-bit numbers for entities that have no number of ours yet."""

from __future__ import annotations

import hashlib


def line_key(*parts: str) -> int:
    """Hash the parts into a signed 64-bit key. Two entities that collide only share a line."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
