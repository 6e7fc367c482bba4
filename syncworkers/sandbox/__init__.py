"""Simulated partners: small HTTP programs that keep their own books and have fault switches."""
