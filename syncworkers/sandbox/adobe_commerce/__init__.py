"""A simulated Adobe Commerce instance, with its own books."""
