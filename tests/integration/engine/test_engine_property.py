"""Drive the engine in random order by several workers; whatever happens, its promises hold.

The partner is a set of effects. A worker may die before or after its effect, come back late, be
told nothing; rows are retried, parked, superseded, die and are retried by a person.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from syncworkers.engine import lines, parking, sweep
from tests.integration.engine.toys import (
    TOYS,
    Toy,
    ask,
    finish,
    make_tables,
    open_lane,
    pass_time,
    put,
    transaction,
    work_all,
)

if TYPE_CHECKING:
    from syncworkers.engine.lines import Claim, ClaimedLine

WORKERS = 3
KEYS = st.integers(0, 3)
LOST_ROWS = """
SELECT count(*) FROM toy t WHERE t.state = 'open' AND NOT EXISTS
  (SELECT 1 FROM line l WHERE l.lane = t.lane AND l.key = t.line)"""
WRONG_COUNTS = """
SELECT count(*) FROM line l WHERE l.pending <>
  (SELECT count(*) FROM toy t WHERE t.lane = l.lane AND t.line = l.key AND t.state = 'open')"""
UNPARKED = """
SELECT count(*) FROM toy
 WHERE state = 'parked' AND (due_at IS NULL OR waiting_for IS NULL)"""
ENDS = {"done", "dead", "superseded"}


@dataclass
class Hand:
    """What a worker holds: its claim, and which rows it has worked."""

    claim: Claim
    endings: dict[int, str] = field(default_factory=dict)
    acted: bool = False
    expired: bool = False


class Engine(RuleBasedStateMachine):
    """The machine; `database` is set by the test."""

    database: sa.Engine

    def __init__(self) -> None:
        super().__init__()
        with self.database.begin() as connection:
            connection.execute(sa.text("TRUNCATE lane, line RESTART IDENTITY CASCADE"))
        make_tables(self.database)
        self.lane = open_lane(self.database, slots=WORKERS, batch=2, depth=3, settle=5.0)
        self.hands: dict[int, Hand] = {}
        self.effects: list[tuple[int, int]] = []
        self.put_rows: set[int] = set()
        self.ever_parked: set[int] = set()

    @rule(key=KEYS, count=st.integers(1, 3), due_in=st.sampled_from([0.0, 0.0, 200.0]))
    def enqueue(self, key: int, count: int, due_in: float) -> None:
        toys = [(key, "x")] * count
        self.put_rows.update(put(self.database, self.lane, toys, due_in=due_in))

    @rule(key=KEYS)
    def hasten(self, key: int) -> None:
        """What a row waited for has come, or somebody thinks so."""
        with transaction(self.database) as session:
            lines.hasten(session, [(self.lane.id, key)])

    def _some(self, pick: int, *, acted: bool) -> int:
        """Choose a worker that lives and has, or has not, done its work."""
        able = [one for one, hand in self.hands.items() if hand.acted is acted]
        return able[pick % len(able)]

    @precondition(lambda self: self.put_rows and len(self.hands) < WORKERS)
    @rule()
    def claim(self) -> None:
        worker = next(one for one in range(WORKERS) if one not in self.hands)
        with transaction(self.database) as session:
            claimed = lines.claim(session, self.lane, worker=f"w{worker}")
        with transaction(self.database) as session:
            claimed = lines.read(session, claimed)
        if not claimed.lines:
            return
        held = {
            line.key
            for hand in self.hands.values()
            if not hand.expired
            for line in hand.claim.lines
        }
        assert not held & {line.key for line in claimed.lines}, "two workers on one entity"
        self.hands[worker] = Hand(claimed)

    @precondition(lambda self: any(not hand.acted for hand in self.hands.values()))
    @rule(
        pick=st.integers(0, WORKERS),
        how=st.sampled_from(["done", "done", "supersede", "park", "die", "retry", "unknown"]),
    )
    def act(self, pick: int, how: str) -> None:
        """Work what is held, within the lease: nothing is recorded yet."""
        hand = self.hands[self._some(pick, acted=False)]
        hand.acted = True
        if hand.expired:
            return
        for line in hand.claim.lines:
            self._act_line(hand, line, how)

    def _act_line(self, hand: Hand, line: ClaimedLine, how: str) -> None:
        rows = list(line.rows)
        if not rows:
            return
        if how == "supersede":
            for row in rows[:-1]:
                if row["unknown_since"] is None:
                    hand.endings[row["id"]] = "superseded"
            rows = [row for row in rows if row["id"] not in hand.endings]
        head = rows[0]
        if how in {"park", "die", "retry"}:
            if head["unknown_since"] is None or how == "retry":
                hand.endings[head["id"]] = {"park": "parked", "die": "dead"}.get(how, "again")
            return
        for row in rows if how != "unknown" else rows[:1]:
            ending = self._effect(row, line.key)
            hand.endings[row["id"]] = "unknown" if how == "unknown" else ending

    def _effect(self, row: Any, key: int) -> str:
        """Make the effect; a row that may have been begun is looked up first.

        The look-up may find a later effect instead: a worker that left this row out died before
        it could say so. A row that was parked had left its line and is not left out by that.
        """
        if row["unknown_since"] is not None:
            made = [one for one_key, one in self.effects if one_key == key]
            if row["id"] in made:
                return "done"
            if made and made[-1] > row["id"] and row["id"] not in self.ever_parked:
                return "superseded"
        self.effects.append((key, row["id"]))
        return "done"

    @precondition(lambda self: any(hand.acted for hand in self.hands.values()))
    @rule(pick=st.integers(0, WORKERS))
    def record(self, pick: int) -> None:
        """Write down what was done; a late worker writes nothing."""
        hand = self.hands.pop(self._some(pick, acted=True))
        claim = hand.claim
        with transaction(self.database) as session:
            pending = lines.fence(session, claim, claim.lines)
            if hand.expired:
                assert not pending, "a late worker passed the fence"
            results = [
                self._settle_line(session, hand, line)
                for line in claim.lines
                if line.key in pending
            ]
            lines.settle(session, claim, pending, results)

    def _settle_line(self, session: Any, hand: Hand, line: ClaimedLine) -> lines.LineResult:
        finished = 0
        blocked_by = None
        for row in line.rows:
            ending = hand.endings.get(row["id"])
            if ending in ENDS:
                finish(session, [row["id"]], ending)
                finished += 1
                blocked_by = row["id"] if ending == "dead" else None
            elif ending == "parked":
                parking.park(session, TOYS, [parking.Wait(row=row["id"], key="parent")])
                self.ever_parked.add(row["id"])
                finished += 1
            elif ending == "unknown":
                session.execute(
                    sa.update(Toy).where(Toy.id == row["id"]).values(unknown_since=sa.func.now())
                )
        return lines.LineResult(key=line.key, finished=finished, blocked_by=blocked_by)

    @precondition(lambda self: bool(self.hands))
    @rule(pick=st.integers(0, WORKERS))
    def crash(self, pick: int) -> None:
        """A worker dies with what it holds, before or after its effects."""
        del self.hands[list(self.hands)[pick % len(self.hands)]]

    @rule(keep=st.booleans())
    def leases_expire(self, keep: bool) -> None:
        """Time passes beyond every lease; some workers are not dead but late."""
        pass_time(self.database, self.lane.spec.lease + 1)
        with transaction(self.database) as session:
            sweep.free_expired(session, [TOYS])
        pass_time(self.database, self.lane.spec.settle + 1)
        if not keep:
            self.hands.clear()
        for hand in self.hands.values():
            hand.expired = True

    @rule()
    def parent_arrives(self) -> None:
        with transaction(self.database) as session:
            parking.wake(session, TOYS, ["parent"])

    @rule()
    def due_times_pass(self) -> None:
        pass_time(self.database, 400 - self.lane.spec.lease if not self.hands else 0)
        with transaction(self.database) as session:
            parking.wake_due(session, TOYS)

    @precondition(lambda self: bool(self.put_rows))
    @rule()
    def a_person_retries(self) -> None:
        """Every dead row is tried again, in its old place."""
        with transaction(self.database) as session:
            dead = session.execute(
                sa.select(Toy.id, Toy.line).where(Toy.state == "dead").with_for_update()
            ).all()
            for row in dead:
                lines.enqueue(session, self.lane.id, [row.line])
                finish(session, [row.id], "open")
                lines.unblock(session, self.lane.id, row.line)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert ask(self.database, LOST_ROWS) == 0
        assert ask(self.database, WRONG_COUNTS) == 0
        assert ask(self.database, UNPARKED) == 0
        assert ask(self.database, "SELECT count(*) FROM toy") == len(self.put_rows)

    @invariant()
    def no_effect_is_made_twice(self) -> None:
        counts = Counter(row for _, row in self.effects)
        assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def effects_of_an_entity_keep_their_order(self) -> None:
        """Only a parked row, which left its line, may be overtaken."""
        for key in range(4):
            made = [row for one, row in self.effects if one == key and row not in self.ever_parked]
            assert made == sorted(made)

    def teardown(self) -> None:
        """Let everything come to rest: each row ends, each effect was made once."""
        self.hands.clear()
        for _ in range(60):
            self.leases_expire(keep=False)
            self.a_person_retries()
            self.parent_arrives()
            self.claim()
            if self.hands:
                self.act(0, "done")
                self.record(0)
            elif not ask(self.database, "SELECT count(*) FROM line"):
                break
        self.nothing_is_lost()
        self.no_effect_is_made_twice()
        open_rows = "SELECT count(*) FROM toy WHERE state NOT IN ('done', 'superseded')"
        left = ask(self.database, open_rows)
        assert (left, ask(self.database, "SELECT count(*) FROM line")) == (0, 0)
        done = ask(self.database, "SELECT count(*) FROM toy WHERE state = 'done'")
        assert done == len(self.effects)


def test_the_engine_keeps_its_promises_whatever_happens(database: sa.Engine) -> None:
    Engine.database = database
    machine = Engine.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=30,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate],  # shrinking against a real database takes minutes
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").runTest()


def test_order_within_an_entity_is_kept_by_eight_workers(database: sa.Engine) -> None:
    lane = open_lane(database, slots=8, batch=5)
    put(database, lane, [(n % 7, f"{n:04}") for n in range(400)])
    seen: dict[int, list[str]] = {}
    lock = threading.Lock()

    def worker(name: str) -> None:
        for _ in range(40):
            with transaction(database) as session:
                claimed = lines.claim(session, lane, worker=name)
            with transaction(database) as session:
                claimed = lines.read(session, claimed)
            with lock:
                for line in claimed.lines:
                    seen.setdefault(line.key, []).extend(row["what"] for row in line.rows)
            with transaction(database) as session:
                pending = lines.fence(session, claimed, claimed.lines)
                finish(session, [row["id"] for line in claimed.lines for row in line.rows])
                results = [
                    lines.LineResult(key=line.key, finished=len(line.rows))
                    for line in claimed.lines
                ]
                lines.settle(session, claimed, pending, results)

    threads = [threading.Thread(target=worker, args=[f"w{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    while work := work_all(database, lane):
        for what in work:
            seen.setdefault(int(what) % 7, []).append(what)
    assert sum(map(len, seen.values())) == 400
    assert all(what == sorted(what) for what in seen.values())
