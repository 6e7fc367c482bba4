"""ShipBob, a third-party warehouse: orders in, shipments and tracking out. Contract: 2026-01.

It stands for the customer's “regional 3PL A”, which is not named: it is built against ShipBob's
public contract, behind the protocols that any warehouse's connector offers.
"""

from __future__ import annotations

from syncworkers.connectors.shipbob.connector import ShipBob

__all__ = ["ShipBob"]
