"""Postgres and Redis for whoever has none: from wheels, on unix sockets, for trying and testing."""

from __future__ import annotations

from syncworkers.servers.postgres import ServerError
from syncworkers.servers.running import Servers, running

__all__ = ["ServerError", "Servers", "running"]
