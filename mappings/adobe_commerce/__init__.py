"""Adobe Commerce payloads ↔ canonical objects, contract 2.4.9."""
