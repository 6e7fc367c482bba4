"""Canonical objects as ShipBob's orders, shipments and tracking."""
