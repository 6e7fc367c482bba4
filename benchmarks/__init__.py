"""What the product does in a second, beside a plain way and beside the raw database."""
