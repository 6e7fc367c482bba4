from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import sqlalchemy as sa

from syncworkers.engine import breaker, lanes, lines, parking, sweep
from tests.integration.engine.toys import (
    TOYS,
    Toy,
    ask,
    finish,
    open_lane,
    pass_time,
    put,
    transaction,
    work_all,
)

if TYPE_CHECKING:
    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.engine.lines import Claim


def take(database: sa.Engine, lane: LaneHandle, worker: str = "w", limit: int = 100) -> Claim:
    with transaction(database) as session:
        claimed = lines.claim(session, lane, worker=worker, limit=limit)
    with transaction(database) as session:
        return lines.read(session, claimed)


def test_the_rows_of_a_line_come_in_the_order_they_were_put(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(7, "a"), (7, "b"), (8, "c")])
    put(database, lane, [(7, "d")])

    claimed = take(database, lane)

    rows = {line.key: [row["what"] for row in line.rows] for line in claimed.lines}
    assert rows == {7: ["a", "b", "d"], 8: ["c"]}


def test_a_finished_line_is_deleted(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(7, "a"), (8, "b")])

    assert sorted(work_all(database, lane)) == ["a", "b"]

    assert ask(database, "SELECT count(*) FROM line") == 0


def test_a_row_that_cannot_go_yet_waits_and_a_row_that_can_brings_its_line_forward(
    database: sa.Engine,
) -> None:
    lane = open_lane(database)
    put(database, lane, [(7, "later"), (8, "later too")], due_in=60.0)
    assert work_all(database, lane) == []

    put(database, lane, [(7, "now")])
    assert work_all(database, lane) == ["later", "now"]

    pass_time(database, 60.0)
    assert work_all(database, lane) == ["later too"]


def test_a_line_that_only_waits_is_hastened_and_one_that_backs_off_is_not(
    database: sa.Engine,
) -> None:
    lane = open_lane(database)
    put(database, lane, [(7, "waits"), (8, "backs off")], due_in=60.0)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE line SET attempts = 1 WHERE key = 8"))

    with transaction(database) as session:
        assert lines.hasten(session, [(lane.id, 7), (lane.id, 8), (lane.id, 9)]) == {lane.id}
    put(database, lane, [(8, "behind it")])

    assert work_all(database, lane) == ["waits"]


def test_hastening_never_waits_for_who_holds_a_line(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(7, "a"), (8, "b")], due_in=60.0)
    with transaction(database) as holder:
        holder.execute(sa.text("SELECT 1 FROM line WHERE key = 7 FOR UPDATE"))
        with transaction(database) as session:
            session.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
            lines.hasten(session, [(lane.id, 7), (lane.id, 8)])

    assert work_all(database, lane) == ["b"]


def test_rows_are_parked_together_each_for_its_own_time(database: sa.Engine) -> None:
    lane = open_lane(database)
    short, long = put(database, lane, [(1, "short"), (2, "long")])
    claimed = take(database, lane)
    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        hour = parking.Wait(row=long, key="topic:x", at_least=3600.0)
        parking.park(session, TOYS, [parking.Wait(row=short, key="parent:1"), hour])
        done = [lines.LineResult(key=key, finished=1) for key in (1, 2)]
        lines.settle(session, claimed, pending, done)

        columns = TOYS.table.c
        waits = sa.select(columns.waiting_for, columns.due_at - sa.func.now()).order_by(columns.id)
        assert [tuple(one) for one in session.execute(waits)] == [
            ("parent:1", dt.timedelta(seconds=2)),
            ("topic:x", dt.timedelta(hours=1)),
        ]


def test_it_is_told_which_keys_somebody_waits_for(database: sa.Engine) -> None:
    lane = open_lane(database)
    [row] = put(database, lane, [(7, "a")])
    claimed = take(database, lane)
    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        parking.park(session, TOYS, [parking.Wait(row=row, key="parent:1")])
        lines.settle(session, claimed, pending, [lines.LineResult(key=7, finished=1)])

        assert parking.awaited(session, TOYS, ["parent:1", "parent:2"]) == ["parent:1"]
        assert parking.awaited(session, TOYS, []) == []


def test_two_workers_never_hold_one_line(database: sa.Engine) -> None:
    lane = open_lane(database, slots=8)
    put(database, lane, [(key, "x") for key in range(200)])
    taken: list[list[int]] = []
    start = threading.Barrier(8)

    def worker(name: str) -> None:
        start.wait()
        claimed = take(database, lane, name, limit=30)
        taken.append([line.key for line in claimed.lines])

    threads = [threading.Thread(target=worker, args=[f"w{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    keys = [key for some in taken for key in some]
    assert len(keys) == len(set(keys)) == 200


def test_a_lane_gives_no_more_batches_than_it_has_slots(database: sa.Engine) -> None:
    lane = open_lane(database, slots=2)
    put(database, lane, [(key, "x") for key in range(5)])

    sizes = [len(take(database, lane, limit=1).lines) for _ in range(3)]

    assert sizes == [1, 1, 0]


def test_a_paused_lane_gives_nothing_until_it_is_resumed(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "x")])
    with transaction(database) as session:
        lanes.pause(session, lane.id, seconds=None, reason="stock take", actor="ann")

    assert take(database, lane).lines == ()
    with transaction(database) as session:
        assert sweep.due_lanes(session) == []
        lanes.resume(session, lane.id)
    assert len(take(database, lane).lines) == 1


def test_a_shorter_pause_never_shortens_a_longer_one(database: sa.Engine) -> None:
    lane = open_lane(database)
    with transaction(database) as session:
        lanes.pause(session, lane.id, seconds=None, reason="stock take", actor="ann")
        lanes.pause(session, lane.id, seconds=1.0, reason="busy", actor="syncworkers")

    assert ask(database, "SELECT paused_reason FROM lane") == "stock take"


def test_claims_keep_their_distance_while_few_lines_are_ready(database: sa.Engine) -> None:
    lane = open_lane(database, gather_ms=60_000, batch=3)
    put(database, lane, [(1, "x")])
    pass_time(database, 61)
    assert len(take(database, lane, limit=3).lines) == 1
    put(database, lane, [(2, "x"), (3, "x")])

    waiting = take(database, lane, limit=3)
    put(database, lane, [(4, "x")])
    full = take(database, lane, limit=3)

    assert (len(waiting.lines), len(full.lines)) == (0, 3)


def test_a_worker_that_lost_its_lease_writes_nothing(database: sa.Engine) -> None:
    lane = open_lane(database)
    ids = put(database, lane, [(1, "x")])
    late = take(database, lane, "late")
    pass_time(database, 1000)
    with transaction(database) as session:
        assert sweep.free_expired(session, [TOYS]) == 1
    pass_time(database, 1000)
    other = take(database, lane, "other")

    with transaction(database) as session:
        pending = lines.fence(session, late, late.lines)
        mine = [line for line in late.lines if line.key in pending]
        finish(session, [row["id"] for line in mine for row in line.rows])

    assert (pending, len(other.lines)) == ({}, 1)
    assert ask(database, "SELECT state FROM toy WHERE id = :id", id=ids[0]) == "open"


def test_an_expired_lease_counts_as_a_crash_and_makes_its_rows_unknown(database: sa.Engine) -> None:
    lane = open_lane(database, settle=30.0)
    put(database, lane, [(1, "x")])
    take(database, lane)
    pass_time(database, lane.spec.lease + 1)

    with transaction(database) as session:
        sweep.free_expired(session, [TOYS])

    assert ask(database, "SELECT crashes FROM line") == 1
    assert ask(database, "SELECT attempts FROM line") == 0
    assert ask(database, "SELECT unknown_since IS NOT NULL FROM toy") is True
    # A lost call may still land for as long as the lane says: not before may anybody look.
    assert take(database, lane).lines == ()
    pass_time(database, 30)
    assert len(take(database, lane).lines) == 1


def test_a_worker_that_is_known_to_be_gone_keeps_no_slot(database: sa.Engine) -> None:
    lane = open_lane(database, slots=2, settle=30.0)
    put(database, lane, [(1, "one"), (2, "two"), (3, "three")])
    take(database, lane, worker="here:1", limit=1)
    take(database, lane, worker="here:2", limit=1)

    with transaction(database) as session:
        assert sorted(sweep.workers(session)) == ["here:1", "here:2"]
        assert sweep.free_expired(session, [TOYS], orphaned=["here:1"]) == 1

    assert [line.key for line in take(database, lane).lines] == [3]
    # What it may have begun is looked at only when nothing of it can land any more.
    freed = "due_at > now() + interval '10 s' AND crashes = 1 AND owner IS NULL"
    assert ask(database, f"SELECT count(*) FROM line WHERE key = 1 AND {freed}") == 1


def test_a_line_that_crashed_its_worker_is_claimed_alone(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "poison")])
    take(database, lane)
    pass_time(database, 1000)
    with transaction(database) as session:
        sweep.free_expired(session, [TOYS])
    pass_time(database, 1000)
    put(database, lane, [(2, "sound"), (3, "sound")])

    claims = [take(database, lane) for _ in range(2)]

    assert sorted(sorted(line.key for line in one.lines) for one in claims) == [[1], [2, 3]]


def test_many_suspects_and_a_sound_line_keep_each_other_from_nothing(database: sa.Engine) -> None:
    lane = open_lane(database, slots=1000)
    put(database, lane, [(key, "suspect") for key in range(1, 101)])
    with transaction(database) as session:
        session.execute(sa.text(f"UPDATE line SET crashes = {lines.ALONE_AFTER}"))
    pass_time(database, 10)
    put(database, lane, [(101, "sound")])

    taken = [line.key for _ in range(60) for line in take(database, lane).lines]

    assert 101 in taken  # but for a coin that falls sixty times on one side
    assert len(taken) > 1


def test_lines_that_were_lost_together_come_back_in_ever_smaller_company(
    database: sa.Engine,
) -> None:
    lane = open_lane(database, slots=100)
    put(database, lane, [(key, "suspect") for key in range(1, 17)])

    sizes = []
    for _ in range(4):
        taken = []
        while claimed := take(database, lane, limit=16).lines:
            taken.append(len(claimed))
        sizes.append(taken)
        pass_time(database, 1000)
        with transaction(database) as session:
            sweep.free_expired(session, [TOYS])
        pass_time(database, 1000)

    assert sizes == [[16], [4] * 4, [1] * 16, [1] * 16]


def test_a_blocked_line_waits_until_its_case_is_decided(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "create"), (1, "change")])
    claimed = take(database, lane)
    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        finish(session, [claimed.lines[0].rows[0]["id"]], "dead")
        result = lines.LineResult(key=1, finished=1, blocked_by=77)
        lines.settle(session, claimed, pending, [result])

    assert take(database, lane).lines == ()
    with transaction(database) as session:
        lines.unblock(session, lane.id, 1)
    assert [row["what"] for row in take(database, lane).lines[0].rows] == ["change"]


def test_a_parked_row_comes_back_when_its_key_arrives(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "child"), (2, "other")])
    claimed = take(database, lane)
    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        child = next(line for line in claimed.lines if line.key == 1)
        parking.park(session, TOYS, [parking.Wait(row=child.rows[0]["id"], key="parent:9")])
        other = next(line for line in claimed.lines if line.key == 2)
        finish(session, [other.rows[0]["id"]])
        results = [lines.LineResult(key=key, finished=1) for key in (1, 2)]
        lines.settle(session, claimed, pending, results)
    assert ask(database, "SELECT count(*) FROM line") == 0

    with transaction(database) as session:
        assert parking.wake(session, TOYS, ["parent:8"]) == set()
        assert parking.wake(session, TOYS, ["parent:9"]) == {lane.id}

    assert work_all(database, lane) == ["child"]


def test_a_parked_row_comes_back_by_itself_when_its_due_time_passes(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "child")])
    for wait in (2, 4, 8):
        claimed = take(database, lane)
        with transaction(database) as session:
            pending = lines.fence(session, claimed, claimed.lines)
            parking.park(
                session, TOYS, [parking.Wait(row=claimed.lines[0].rows[0]["id"], key="parent:9")]
            )
            lines.settle(session, claimed, pending, [lines.LineResult(key=1, finished=1)])
        due = "SELECT extract(epoch FROM due_at - now())::float FROM toy"
        assert wait - 1 < float(str(ask(database, due))) <= wait
        pass_time(database, wait)
        with transaction(database) as session:
            parking.wake_due(session, TOYS)

    assert work_all(database, lane) == ["child"]


def test_the_sweep_names_lanes_with_ready_lines_only(database: sa.Engine) -> None:
    lane = open_lane(database)
    with transaction(database) as session:
        assert sweep.due_lanes(session) == []

    put(database, lane, [(1, "x")])

    with transaction(database) as session:
        assert sweep.due_lanes(session) == ["toys"]
    take(database, lane)
    with transaction(database) as session:
        assert sweep.due_lanes(session) == []


def test_a_silent_side_is_probed_with_one_line_until_it_answers(database: sa.Engine) -> None:
    lane = open_lane(database, slots=4)
    put(database, lane, [(key, "x") for key in range(10)])
    for _ in range(breaker.PROBE_FROM):
        with transaction(database) as session:
            breaker.silent(session, lane.id, first=0.5, limit=5.0, reason="no answer")
    assert take(database, lane).lines == ()  # it rests first
    pass_time(database, 10)

    probe, second = take(database, lane), take(database, lane)
    assert (len(probe.lines), len(second.lines)) == (1, 0)

    with transaction(database) as session:
        breaker.answered(session, lane.id)
    assert len(take(database, lane).lines) == 9


def test_enqueueing_to_a_line_in_work_keeps_its_count_right(database: sa.Engine) -> None:
    lane = open_lane(database)
    put(database, lane, [(1, "a")])
    claimed = take(database, lane)
    put(database, lane, [(1, "b")])

    with transaction(database) as session:
        pending = lines.fence(session, claimed, claimed.lines)
        finish(session, [claimed.lines[0].rows[0]["id"]])
        results = [lines.LineResult(key=1, finished=len(claimed.lines[0].rows))]
        assert lines.settle(session, claimed, pending, results) is True

    assert ask(database, "SELECT pending FROM line") == 1
    assert work_all(database, lane) == ["b"]


def test_a_claim_costs_the_same_with_a_long_history(database: sa.Engine) -> None:
    lane = open_lane(database)
    with database.begin() as connection:
        connection.execute(
            sa.insert(Toy),
            [{"lane": lane.id, "line": n % 50, "state": "done", "what": "x"} for n in range(5000)],
        )
    put(database, lane, [(key, "x") for key in range(50)])
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE toy"))
        plan = connection.execute(
            sa.text(
                "EXPLAIN SELECT * FROM toy WHERE lane = :lane AND line = 7 AND state = 'open'"
                " ORDER BY id LIMIT 10"
            ),
            {"lane": lane.id},
        ).scalars()
        assert "toy_open" in "\n".join(plan)

    assert len(take(database, lane).lines) == 50
