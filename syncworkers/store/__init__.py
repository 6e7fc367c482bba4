"""Postgres: one file per family of tables, tables and their queries together."""
