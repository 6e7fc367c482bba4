"""Dead letter: put new cases into the groups of their causes and tell people.

The case itself was written with the row that ended; nothing here can lose one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.store import cases

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)


def open_cases(fleet: Fleet) -> int:
    """Announce the cases nobody was told of yet; return how many."""
    announced = 0
    while True:
        with fleet.session() as session:
            new = cases.unannounced(session)
            for case in new:
                group = cases.announce(session, case)
                log.error(
                    "exception case",
                    case=case.id,
                    group=group.id,
                    of_this_cause=group.cases,
                    partner=case.partner,
                    code=case.code,
                    about=f"{case.about}/{case.about_id}",
                    entity=f"{case.entity_kind} {case.entity}",
                    correlation_id=str(case.correlation_id),
                )
        announced += len(new)
        if not new:
            return announced
