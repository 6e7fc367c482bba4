"""Transports to partners. The registry of connector kinds stands here, written out."""
