"""Links: open orders of an earlier integration are taken over, so that going live makes none twice.

An imported link says that an object at a partner is one of ours. Its create is then confirmed
without a call, and what follows for it goes to that object.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import parking
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.lanes import INBOX, deliver_lane
from syncworkers.flows.link_rows import NEEDED, OPTIONAL, LinkRow, RowRefusal, read_rows
from syncworkers.store import attention, identity, partner_state, takeover
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.report import PartnerReport

    Target = tuple[str, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksImported:
    """What came of a file: `linked` new links, `known` ones that stood so already."""

    rows: int
    linked: int
    known: int
    refused: tuple[RowRefusal, ...]
    written: bool


def import_links(  # noqa: PLR0913 - a file, and who wants what of it
    fleet: Fleet,
    text: str,
    *,
    is_json: bool,
    actor: str,
    reason: str,
    partial: bool = False,
) -> LinksImported:
    """Take over what a file says, all of it or nothing; with `partial` all rows that are right.

    May be run again. Raises `RejectedError` where the file cannot be read at all.
    """
    rows, refused = read_rows(text, is_json=is_json)
    try:
        with fleet.session() as session:
            found = _Import(fleet, session, rows)
            found.check()
            refused = sorted([*refused, *found.refused], key=lambda one: one.row)
            written = bool(found.new) and (partial or not refused)
            if written:
                found.write()
                _audit(session, found, refused, actor=actor, reason=reason)
    except identity.TakenError:
        message = "somebody else linked one of these just now: run the import again"
        violation = Violation(path="file", code="link.taken", message=message)
        raise RejectedError(message, violations=[violation]) from None
    if written:
        fleet.waker.notify(sorted(found.lanes))
    return LinksImported(
        rows=len(rows) + len(refused) - len(found.refused),
        linked=len(found.new),
        known=found.known,
        refused=tuple(refused),
        written=written,
    )


def _audit(
    session: Session, found: _Import, refused: Sequence[RowRefusal], *, actor: str, reason: str
) -> None:
    attention.audit(
        session,
        actor=actor,
        act="links.import",
        about="link",
        about_id=None,
        reason=reason,
        partners=sorted({row.partner for row, _ in found.new}),
        linked=len(found.new),
        known=found.known,
        refused=len(refused),
    )


class _Import:
    """One file against the database, in one transaction."""

    def __init__(self, fleet: Fleet, session: Session, rows: Sequence[LinkRow]) -> None:
        self._fleet = fleet
        self._session = session
        self._rows = rows
        self.refused: list[RowRefusal] = []
        self.new: list[tuple[LinkRow, Target]] = []
        self.known = 0
        self.lanes: set[str] = set()

    def check(self) -> None:
        """Sort the rows: refused, known, new."""
        targets = list(self._targets())
        wanted = [target for _, target in targets]
        links = takeover.links_of(self._session, wanted)
        creates = takeover.creates_of(self._session, wanted)
        modes = {
            name: partner_state.hold(self._session, name)
            for name in sorted({row.partner for row, _ in targets})
        }
        owners = {name: self._owners(name, targets) for name in modes}
        seen: dict[object, int] = {}
        for row, target in targets:
            holder = owners[row.partner].get((target[0], row.external_id))
            linked = links.get(target)
            twice = seen.get(target) or seen.get((row.partner, row.external_id))
            seen |= {target: row.number, (row.partner, row.external_id): row.number}
            if twice is not None:
                self._refuse(row, "row.twice", f"row {twice} has the same order or id")
            elif linked == row.external_id:
                self.known += 1
            elif linked is not None:
                told = f"order {row.order} is linked to {linked} at {row.partner} already"
                self._refuse(row, "order.linked", told)
            elif holder is not None:
                told = f"{row.external_id} at {row.partner} is our {target[0]} {holder} already"
                self._refuse(row, "id.linked", told)
            elif modes[row.partner] is Mode.LIVE and creates.get(target) in {"open", "parked"}:
                told = (
                    f"{row.partner} is live and may be sent order {row.order} just now: first"
                    f" `syncworkers partners mode {row.partner} observe`"
                )
                self._refuse(row, "partner.live", told)
            else:
                self.new.append((row, target))

    def _owners(
        self, partner: str, targets: Sequence[tuple[LinkRow, Target]]
    ) -> dict[tuple[str, str], int]:
        ids = {(target[0], row.external_id) for row, target in targets if row.partner == partner}
        return identity.owners(self._session, partner, ids)

    def _targets(self) -> Iterator[tuple[LinkRow, Target]]:
        """Find what each row speaks of."""
        by_name: dict[str, list[takeover.FoundOrder]] = defaultdict(list)
        for order in takeover.orders_named(self._session, {row.order for row in self._rows}):
            by_name[order.number].append(order)
            if order.external_id != order.number:
                by_name[order.external_id].append(order)
        ids = {order.id for orders in by_name.values() for order in orders}
        parts = takeover.parts_of(self._session, ids)
        parcels = takeover.shipments_of(self._session, ids)
        for row in self._rows:
            found = self._order(row, by_name[row.order])
            if found is None:
                continue
            kind, entities = self._entities(row, found, parts, parcels)
            if len(entities) == 1:
                yield row, (kind.value, entities[0], row.partner)
            elif kind is Kind.PART:
                told = f"order {row.order} has no part {row.part} at {row.partner}"
                self._refuse(row, "part.unknown", told)
            elif kind is Kind.SHIPMENT:
                told = f"order {row.order} has {len(entities)} parcels called {row.shipment!r}"
                self._refuse(row, "shipment.unknown", told)
            else:
                told = f"order {row.order} is booked in {found.erp or 'no ERP'}"
                self._refuse(row, "order.elsewhere", told)

    def _entities(
        self,
        row: LinkRow,
        order: takeover.FoundOrder,
        parts: Mapping[tuple[int, str, int], int],
        parcels: Mapping[tuple[int, str], list[int]],
    ) -> tuple[Kind, list[int]]:
        """Return what of ours a row means: one, if it is right."""
        role = self._fleet.partners[row.partner].policy.role
        if role == "warehouse":
            part = parts.get((order.id, row.partner, row.part))
            return Kind.PART, [] if part is None else [part]
        theirs = row.partner == (order.store if role == "store" else order.erp)
        if row.shipment:
            return Kind.SHIPMENT, parcels.get((order.id, row.shipment), []) if theirs else []
        return Kind.ORDER, [order.id] if theirs else []

    def _order(
        self, row: LinkRow, named: Sequence[takeover.FoundOrder]
    ) -> takeover.FoundOrder | None:
        partner = self._fleet.partners.get(row.partner)
        orders = [one for one in named if not row.store or one.store == row.store]
        if partner is None:
            known = ", ".join(sorted(self._fleet.partners))
            self._refuse(row, "partner.unknown", f"no partner {row.partner!r}; there are {known}")
        elif partner.policy.role == "store" and not row.shipment:
            told = f"{row.partner} is a store: its orders are linked as they are read"
            self._refuse(row, "partner.store", told)
        elif not orders:
            where = f" of {row.store}" if row.store else ""
            told = (
                f"order {row.order}{where} is not known: was it read, is [poll] horizon far enough?"
            )
            self._refuse(row, "order.unknown", told)
        elif len({one.id for one in orders}) > 1:
            stores = ", ".join(sorted({one.store for one in orders}))
            told = f"order {row.order} is in several stores ({stores}): say which in `store`"
            self._refuse(row, "order.ambiguous", told)
        else:
            return orders[0]
        return None

    def _refuse(self, row: LinkRow, code: str, reason: str) -> None:
        self.refused.append(RowRefusal(row=row.number, code=code, reason=reason))

    def write(self) -> None:
        """Link what is new, and bring back what waited for it. Raises `identity.TakenError`."""
        identity.link(
            self._session,
            [
                identity.NewLink(
                    kind=kind,
                    entity_id=entity,
                    partner=partner,
                    external_id=row.external_id,
                    imported=True,
                )
                for row, (kind, entity, partner) in self.new
            ],
        )
        for partner in sorted({row.partner for row, _ in self.new}):
            self._follow(partner, [one for one in self.new if one[0].partner == partner])
        names = {lane.id: lane.name for lane in self._fleet.lanes.values()}
        keys = [key for row, target in self.new for key in _keys(row, target)]
        woken = parking.wake(self._session, INBOX, keys)
        self.lanes |= {names[lane] for lane in woken if lane in names}

    def _follow(self, partner: str, new: Sequence[tuple[LinkRow, Target]]) -> None:
        policy = self._fleet.partners[partner].policy
        for kind in sorted({target[0] for _, target in new}):
            ids = [target[1] for _, target in new if target[0] == kind]
            takeover.wake_creates(self._session, partner, kind, ids)
        numbers = [(target[1], row.external_id) for row, target in new if target[0] == Kind.ORDER]
        if numbers:
            takeover.renumber_shipments(self._session, partner, numbers)
        self.lanes.add(deliver_lane(policy))


def _keys(row: LinkRow, target: Target) -> Iterator[str]:
    """Name what messages may wait for that is here now."""
    yield identity.key(target[0], row.partner, row.external_id)
    if target[0] == Kind.ORDER:
        yield f"order:{row.partner}:{row.external_id}"


def proposed_links(fleet: Fleet, reports: Sequence[PartnerReport]) -> str:
    """Write what reports know by name alone as rows to import."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*NEEDED, *OPTIONAL], lineterminator="\n")
    writer.writeheader()
    with fleet.session() as session:
        for one in reports:
            found = {(each.kind, each.entity_id): each.external_id for each in one.unlinked}
            for row in takeover.rows_of(session, list(found)):
                external_id = found[row.pop("kind"), row.pop("entity_id")]
                writer.writerow({"partner": one.partner, "external_id": external_id, **row})
    return out.getvalue()
