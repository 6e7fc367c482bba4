"""A storm: our own processes and servers are killed, frozen and cut off while orders flow."""
