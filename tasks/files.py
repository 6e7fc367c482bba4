"""Files: pick them up where partners leave them, and take their documents out."""

from __future__ import annotations

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.pickup import pick_up as pick_files_up
from syncworkers.flows.process import process_due
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="files.pick_up")
def pick_up(partner: str) -> None:
    """Take in the files that one partner left for us."""
    pick_files_up(fleet(), partner)


@app.task(name="files.process")
def process() -> None:
    """Work through the inbox of files."""
    process_due(fleet(), Kind.FILE)
