"""Canonical objects as Dynamics 365 F&O entities."""
