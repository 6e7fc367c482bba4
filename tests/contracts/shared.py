"""The real payloads and schemas that lie beside a checkout; without them a test is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def folder(name: str) -> Path:
    """Return a folder of the shared ones, or skip the test with the reason."""
    found = SHARED / name
    if not found.is_dir():
        pytest.skip(f"needs {name} of the shared folder beside the checkout, which is absent here")
    return found
