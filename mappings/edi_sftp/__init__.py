"""X12 documents of warehouses and carriers ↔ canonical objects; version 004010."""
