"""A simulated warehouse that speaks X12 in files over SFTP: a real server over a real folder."""
