"""Certify: probe a partner's own sandbox for what our promises rest on, and keep the score.

The probes need only the protocols of a connector. Those that write imitate one of our orders, under
a reference of their own, and call it off at the end.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.bookings import Booking, Cancellation
from syncworkers.canonical.parts import Part, PartCancellation
from syncworkers.connectors.base import Deadline, Pulls, Request, Verdict
from syncworkers.connectors.cutover import Inspects, Renews
from syncworkers.errors import RejectedError, SyncError, Violation
from syncworkers.flows.modes import named
from syncworkers.rules import effects
from syncworkers.rules.release import CERTIFY
from syncworkers.store import attention, certifications, codec, partner_state, plans
from syncworkers.store.certifications import Certification
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from syncworkers.connectors.base import Outcome
    from syncworkers.flows.fleet import Fleet, Partner

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
PATIENCE = 120.0
"""Seconds for one probe."""
WINDOW = dt.timedelta(days=30)
THERE = frozenset({Verdict.CONFIRMED, Verdict.ADOPTED})
CREATES: Mapping[str, type] = {effects.ORDER_CREATE: Booking, effects.PART_CREATE: Part}
"""What can be imitated and called off again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One probe: `result` is `passed`, `failed` or `skipped`."""

    name: str
    result: str
    saw: str


class Failure(Exception):  # noqa: N818 - what a probe found, no error of ours
    """A probe saw what must not be."""


class Skip(Exception):  # noqa: N818 - no error at all
    """A probe does not apply here."""


def certify(fleet: Fleet, partner: str, *, actor: str, order: str | None = None) -> Certification:
    """Run every probe, and keep what came of them under the partner's API version.

    Writes to the partner: raises `RejectedError` for one that is only observed.
    """
    known = named(fleet, partner)
    with fleet.session() as session:
        if partner_state.hold(session, partner) is not Mode.LIVE:
            message = f"{partner} is only observed, and certifying writes to it"
            violation = Violation(path="partner", code="partner.observed", message=message)
            raise RejectedError(message, violations=[violation])
        specimens = {
            operation: body
            for operation in sorted(CREATES.keys() & known.writes.keys())
            if (body := plans.specimen(session, partner, operation, order)) is not None
        }
    probed = list(_run(_Probes(known, specimens)))
    counts = {result: sum(one.result == result for one in probed) for result in RESULTS}
    connection = known.connection
    kept = Certification(
        partner=partner,
        connector=known.policy.connector,
        api_version=connection.api_version if isinstance(connection, Inspects) else "unknown",
        passed=counts[PASSED],
        failed=counts[FAILED],
        skipped=counts[SKIPPED],
        probes=[asdict(one) for one in probed],
        actor=actor,
    )
    with fleet.session() as session:
        certifications.keep(session, kept)
        attention.audit(
            session,
            actor=actor,
            act="partners.certify",
            about="partner",
            about_id=None,
            partner=partner,
            api_version=kept.api_version,
            **counts,
        )
    return kept


RESULTS = (PASSED, FAILED, SKIPPED)


def _run(probes: _Probes) -> Iterator[Probed]:
    for name, probe in probes.all():
        try:
            yield Probed(name=name, result=PASSED, saw=probe())
        except Skip as skip:
            yield Probed(name=name, result=SKIPPED, saw=str(skip))
        except (Failure, SyncError) as error:
            yield Probed(name=name, result=FAILED, saw=str(error))


class _Probes:
    """The probes, in their order; later ones use what earlier ones made."""

    def __init__(self, partner: Partner, specimens: Mapping[str, dict[str, Any]]) -> None:
        self._partner = partner
        self._connection = partner.connection
        self._made: str | None = None
        self._operation = next(iter(specimens), None)
        stamp = f"{time.time_ns() // 1_000_000:x}"
        self._body: Any = None
        if self._operation is not None:
            body: Any = codec.load(specimens[self._operation], CREATES[self._operation])
            self._body = _imitation(body, stamp)

    def all(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield every probe with its name."""
        yield "what must work works", self._inspect
        yield "what was never made is not found", self._find_nothing
        yield "a create is confirmed", self._create
        yield "the same create twice has one effect", self._create_again
        yield "a look-up finds it by our reference", self._find
        yield "what is refused is refused readably", self._refuse
        yield "a create is called off", self._cancel
        yield "paging ends", self._page
        yield "a token that expired is renewed", self._renew

    def _inspect(self) -> str:
        if not isinstance(self._connection, Inspects):
            raise Skip("the connector does not inspect itself")
        wrong = [one for one in self._connection.inspect() if not one.ok]
        if wrong:
            raise Failure("; ".join(f"{one.name}: {one.saw}" for one in wrong))
        return "every check is ok"

    def _request(self, body: Any = None, operation: str | None = None) -> Request:
        if self._operation is None:
            raise Skip("nothing to imitate: no order, or none that could be called off again")
        name = operation or self._operation
        wanted = body or self._body
        payload = self._partner.writes[name](wanted)
        return Request(
            operation=name,
            reference=wanted.reference,
            payload=payload,
            external_id=self._made if operation else None,
        )

    def _push(self, request: Request) -> Outcome:
        [outcome] = self._connection.push([request], Deadline(PATIENCE))
        return outcome  # type: ignore[no-any-return]

    def _look(self, request: Request) -> Outcome:
        [outcome] = self._connection.find([request], Deadline(PATIENCE))
        return outcome  # type: ignore[no-any-return]

    def _find_nothing(self) -> str:
        return _expect(self._look(self._request()), {Verdict.ABSENT})

    def _create(self) -> str:
        outcome = self._push(self._request())
        told = _expect(outcome, THERE)
        self._made = outcome.external_id
        return told

    def _create_again(self) -> str:
        request = self._request()
        if self._made is None:
            raise Skip("the first create was not confirmed")
        outcome = self._push(request)
        told = _expect(outcome, THERE)
        if outcome.external_id != self._made:
            raise Failure(f"it made {self._made}, then {outcome.external_id}")
        return told

    def _find(self) -> str:
        request = self._request()
        if self._made is None:
            raise Skip("nothing was made")
        outcome = self._look(request)
        told = _expect(outcome, {Verdict.ADOPTED})
        if outcome.external_id != self._made:
            raise Failure(f"it made {self._made}, and finds {outcome.external_id}")
        return told

    def _refuse(self) -> str:
        self._request()
        outcome = self._push(self._request(_spoilt(self._body)))
        told = _expect(outcome, {Verdict.REJECTED})
        if not outcome.violations or not all(one.message for one in outcome.violations):
            raise Failure("it is refused without a reason that can be read")
        return f"{told}: {outcome.violations[0].message}"

    def _cancel(self) -> str:
        self._request()
        if self._made is None:
            raise Skip("nothing was made")
        operation, body = _cancellation(self._body)
        request = self._request(body, operation)
        found = self._look(request)
        outcome = self._push(replace(request, external_version=found.external_version))
        return _expect(outcome, THERE)

    def _page(self) -> str:
        if not isinstance(self._connection, Pulls):
            raise Skip("nothing is polled there")
        until = dt.datetime.now(dt.UTC)
        deadline = Deadline(PATIENCE)
        pages = objects = 0
        for kind in self._connection.read_topics:
            for page in self._connection.changed(kind, until - WINDOW, until):
                pages, objects = pages + 1, objects + len(page)
                if deadline.passed():
                    raise Failure(f"no end after {pages} pages, {objects} objects")
        return f"{pages} pages, {objects} objects of {WINDOW.days} days"

    def _renew(self) -> str:
        if not isinstance(self._connection, Renews) or not self._connection.expire_token():
            raise Skip("its token is permanent")
        problems = self._partner.connection.check()
        if problems:
            raise Failure("; ".join(problems))
        return "renewed by the next call"


def _expect(outcome: Outcome, verdicts: frozenset[Verdict] | set[Verdict]) -> str:
    """Return what was seen; raises `Failure` for another verdict."""
    status = f" ({outcome.status})" if outcome.status is not None else ""
    told = f"{outcome.verdict.value}{status} {outcome.external_id or ''}".rstrip()
    if outcome.verdict not in verdicts:
        wanted = " or ".join(sorted(one.value for one in verdicts))
        raise Failure(f"expected {wanted}, saw {told}: {outcome.error or 'no error'}")
    return told


def _imitation(body: Booking | Part, stamp: str) -> Booking | Part:
    """Give a copy of something real a name of its own."""
    if isinstance(body, Booking):
        return replace(body, number=f"CERT{stamp}", reference=f"{CERTIFY}{stamp}")
    return replace(body, reference=f"{CERTIFY}{stamp}")


def _spoilt(body: Booking | Part) -> Booking | Part:
    """Make of it what every partner must refuse."""
    if isinstance(body, Booking):
        return replace(
            body,
            number=f"{body.number}X",
            reference=f"{body.reference}x",
            customer="NO-SUCH-CUSTOMER",
            lines=tuple(replace(line, item="NO-SUCH-ITEM", warehouse="") for line in body.lines),
            warehouse="",
        )
    return replace(body, reference=f"{body.reference}x", email="no address")


def _cancellation(body: Booking | Part) -> tuple[str, Cancellation | PartCancellation]:
    if isinstance(body, Booking):
        undone = Cancellation(
            company=body.company,
            number=body.number,
            reference=body.reference,
            reason="certified",
        )
        return effects.ORDER_CANCEL, undone
    return effects.PART_CANCEL, PartCancellation(reference=body.reference, reason="certified")
