"""X12: an exact codec for EDI, and what a ledger of its numbers keeps. Standard library alone."""
