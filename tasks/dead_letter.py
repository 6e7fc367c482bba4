"""Dead letter: tell people of new exception cases."""

from __future__ import annotations

from syncworkers.flows import dead_letter
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="dead_letter.open_cases")
def open_cases() -> None:
    """Group and announce the cases nobody was told of yet."""
    dead_letter.open_cases(fleet())
