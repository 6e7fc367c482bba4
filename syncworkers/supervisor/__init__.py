"""The supervisor: starts the fleet's processes on one machine, restarts and stops them."""
