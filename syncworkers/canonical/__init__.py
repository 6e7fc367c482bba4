"""The business objects as we see them: frozen values, no partner's words, no I/O.

Their types are imported for real, not only for type checking: the store reads them to build JSON.
"""
