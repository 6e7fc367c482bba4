"""Shopify payloads: webhook bodies (REST-shaped) and Admin GraphQL answers."""
