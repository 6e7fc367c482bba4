"""Renew leases while their work goes on: what takes long is told apart from what died.

A longer lease would do as well, but whoever fails, or loses its connection, would keep it as long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from syncworkers.engine.lines import Claim

log = structlog.get_logger(__name__)

_RENEW = sa.text("""
UPDATE line SET lease_until = now() + make_interval(secs => :lease)
 WHERE (lane, key) IN (SELECT lane, key FROM line
                        WHERE lane = :lane AND owner = :me FOR UPDATE SKIP LOCKED)
""")
"""What is locked is being written just now: nobody takes that back."""


Sessions = Callable[[], AbstractContextManager["Session"]]


@contextmanager
def renewed(sessions: Sessions, claimed: Claim) -> Iterator[None]:
    """Keep a claim leased for up to the lane's `longest` seconds, as long as the block runs."""
    spec = claimed.lane.spec
    if spec.longest <= spec.lease:
        yield
        return
    over = threading.Event()
    renewing = threading.Thread(target=_renew, args=(sessions, claimed, over), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()


def _renew(sessions: Sessions, claimed: Claim, over: threading.Event) -> None:
    spec = claimed.lane.spec
    end = time.monotonic() + spec.longest - spec.lease
    values = {"lane": claimed.lane.id, "me": claimed.owner, "lease": spec.lease}
    while not over.wait(spec.lease / 3) and time.monotonic() < end:
        try:
            with sessions() as session:
                session.execute(_RENEW, values)
        except sa.exc.OperationalError as error:
            log.warning("lease not renewed", lane=claimed.lane.name, error=str(error.orig))
