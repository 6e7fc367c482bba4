"""A warehouse that exchanges X12 files over SFTP."""

from syncworkers.connectors.edi_sftp.connector import EdiSftp

__all__ = ["EdiSftp"]
