"""A simulated ShipBob: orders that a floor picks and ships, tracking, signed webhooks, and books.

Imitates what the partner page says of API 2026-01: unique references, three answers to a cancel,
paging and errors in several shapes, a sliding limit of calls. `order.shipped` is sent for each
shipment as it is handed over; the partner's own pages contradict each other about it.
"""
