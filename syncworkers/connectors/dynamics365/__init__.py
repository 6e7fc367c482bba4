"""The connector for Microsoft Dynamics 365 Finance and Supply Chain Management (F&O)."""

from __future__ import annotations

from syncworkers.connectors.dynamics365.connector import Dynamics365

__all__ = ["Dynamics365"]
