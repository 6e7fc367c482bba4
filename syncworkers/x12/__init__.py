"""X12: bytes to interchanges, groups, sets and segments, and back; it knows no meaning."""
