"""The queue: lanes, lines, leases, wake-ups, sweep. It knows no order, no partner, no mapping."""
