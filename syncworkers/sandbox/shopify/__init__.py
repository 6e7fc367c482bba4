"""A simulated Shopify shop: signed webhooks with REST-shaped bodies, Admin GraphQL, and books.

Imitates what the partner page says of API 2026-07: cost bucket, day-long tokens, webhooks that come
twice, late, reordered or never, updates with whole seconds; fulfilment orders, fulfilments and
metafields as apps make them, each told of as an update of the order.
"""
