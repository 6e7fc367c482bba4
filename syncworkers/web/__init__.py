"""The web face: the gateway for webhooks, health, metrics, and the API."""

from __future__ import annotations

from syncworkers.web.app import create_app

__all__ = ["create_app"]
