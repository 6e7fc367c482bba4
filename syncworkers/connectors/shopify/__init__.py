"""Shopify: signed webhooks in, Admin GraphQL to read and to write. Contract: Admin API 2026-07."""

from __future__ import annotations

from syncworkers.connectors.shopify.connector import Shopify

__all__ = ["Shopify"]
