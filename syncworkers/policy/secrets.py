"""Settings that name where a secret is, instead of being it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def resolve(
    connection: Mapping[str, Any], env: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Replace `{env = "NAME"}` and `{file = "PATH"}` by what they name.

    Returns the resolved settings, and what is missing, by key, with its remedy. An entry with
    `optional = true` that names nothing is left out.
    """
    resolved: dict[str, Any] = {}
    missing: list[str] = []
    for key, value in connection.items():
        if not isinstance(value, dict) or not value.keys() & {"env", "file"}:
            resolved[key] = value
            continue
        found = _look_up(value, env)
        if found is not None:
            resolved[key] = found
        elif not value.get("optional"):
            missing.append(f"{key}: {_remedy(value)}")
    return resolved, missing


def _look_up(named: Mapping[str, Any], env: Mapping[str, str]) -> str | None:
    if "env" in named:
        return env.get(str(named["env"])) or None
    try:
        return Path(str(named["file"])).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _remedy(named: Mapping[str, Any]) -> str:
    if "env" in named:
        return f"set the environment variable {named['env']}"
    return f"put it into the file {named['file']}, readable for us"
