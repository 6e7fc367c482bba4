"""A simulated Dynamics 365 F&O: OData with `$batch`, tokens, throttling, services, and books.

Imitates what the partner page says of 10.0.x: default filling, null as empty, ETags, change sets
that fail inside a 200, server-driven paging, default company; packing slips by a custom service,
invoices that follow them, and business events that hint at those.
"""
