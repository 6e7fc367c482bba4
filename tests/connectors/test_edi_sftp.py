"""The SFTP transport: whatever dies in between, every file goes over once and whole."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from paramiko import SFTPClient, Transport

from syncworkers.connectors.base import Deadline
from syncworkers.connectors.edi_sftp import collecting, parts, pickup, session
from syncworkers.connectors.edi_sftp.drop import drop
from syncworkers.connectors.edi_sftp.session import opened
from syncworkers.connectors.edi_sftp.settings import Settings, read_settings
from syncworkers.connectors.files import Collected, Seen
from syncworkers.errors import CredentialsError, RetryableError
from syncworkers.x12.ledger import Document
from syncworkers.x12.segments import segment
from tests.connectors import sftp_running
from tests.connectors.sftp_running import Running, line, make_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STUCK: dict[str, str] = {}
"""Files that could not be taken, and why."""
BODY = b"ISA*whatever~IEA*1*000000001~\n"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    with sftp_running.own(tmp_path / "warehouse") as running:
        yield running


@pytest.fixture(params=["own", "openssh"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    state = tmp_path / "state"
    state.mkdir()
    folder = tmp_path / "warehouse"
    started = (
        sftp_running.own(folder) if request.param == "own" else sftp_running.openssh(folder, state)
    )
    with started as found:
        yield found


def settings(running: Running, **more: object) -> Settings:
    return read_settings("harbor-east", {**running.connection, **more})


class Dead(BaseException):
    """The worker is gone."""


class Kept:
    """What was handed over, as a store that knows digests."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.handed = 0

    def __call__(self, file: Collected) -> bool:
        self.handed += 1
        self.bodies[file.digest] = file.body
        return True


def collect(
    running: Running,
    keep: Callable[[Collected], bool],
    before: list[Seen] | None = None,
    **more: object,
) -> list[Seen]:
    """Look once; what was seen before has looked as it does for long."""
    unchanged = dict.fromkeys(before or [], 60.0)
    told = settings(running, **more)
    return collecting.collect(told, unchanged, keep, STUCK.__setitem__, Deadline(10.0))


def test_a_file_is_taken_once_it_looks_the_same_and_archived_once_it_is_kept(
    running: Running,
) -> None:
    running.put("945-1.edi", BODY)
    for name in (".hidden", "a.part", "b.tmp", "c.filepart"):
        running.put(name, b"half")
    kept = Kept()

    seen = collect(running, kept)
    after = collect(running, kept, seen)

    assert [(one.name, one.size) for one in seen] == [("945-1.edi", len(BODY))]
    assert after == []
    assert list(kept.bodies.values()) == [BODY]
    [archived] = running.names("archive")
    assert archived.startswith("945-1.edi.")
    assert running.names("outbound") == [".hidden", "a.part", "b.tmp", "c.filepart"]


def test_a_file_that_grows_is_left_alone(running: Running) -> None:
    place = running.put("945-1.edi", BODY[:10])
    kept = Kept()
    seen = collect(running, kept)
    place.write_bytes(BODY)

    again = collect(running, kept, seen)

    assert kept.handed == 0
    assert again[0].size == len(BODY)


def test_a_marked_file_is_taken_at_once_and_its_mark_goes_along(running: Running) -> None:
    running.put("945-1.edi", BODY)
    running.put("945-2.edi", BODY + b" ")
    running.put("945-1.edi.done", b"")
    kept = Kept()

    left = collect(running, kept, done_marker=".done")

    assert list(kept.bodies.values()) == [BODY]
    assert [one.name for one in left] == ["945-2.edi"]
    assert len(running.names("archive")) == 2
    assert running.names("outbound") == ["945-2.edi"]


def test_a_file_without_its_end_goes_back(running: Running) -> None:
    running.put("945-1.edi", BODY[:10])
    seen = collect(running, Kept())

    left = collect(running, lambda _: False, seen)

    assert [one.name for one in left] == ["945-1.edi"]
    assert running.names("outbound") == ["945-1.edi"]
    assert running.names("archive") == []


def test_of_two_who_claim_one_gets_it(running: Running) -> None:
    running.put("945-1.edi", BODY)
    found: list[object] = []

    def claim() -> None:
        with opened(settings(running), Deadline(10.0)) as sftp:
            barrier.wait()
            found.append(pickup.claim(sftp, settings(running), "945-1.edi"))

    with opened(settings(running), Deadline(10.0)) as sftp:
        sftp.mkdir(f"{running.connection['pickup']}/.claimed")
    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one is None for one in found) == [False, True]


@pytest.mark.parametrize("step", ["claim", "read", "archive"])
def test_killed_between_two_steps_nothing_is_lost_and_nothing_kept_twice(
    running: Running, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.put("945-1.edi", BODY)
    kept = Kept()
    seen = collect(running, kept)
    real = getattr(pickup, step)

    def die(*words: object) -> object:
        if step == "archive":
            raise Dead
        real(*words)
        raise Dead

    monkeypatch.setattr(pickup, step, die)
    with pytest.raises(Dead):
        collect(running, kept, seen)
    monkeypatch.setattr(pickup, step, real)
    collect(running, kept)
    collect(running, kept)

    assert list(kept.bodies.values()) == [BODY]
    assert kept.handed == (2 if step == "archive" else 1)
    assert running.names("outbound") == []
    assert len(running.names("archive")) == 1


def test_the_same_file_again_has_a_place_in_the_archive(running: Running) -> None:
    kept = Kept()
    for _ in range(3):
        running.put("945-1.edi", BODY)
        collect(running, kept, collect(running, kept))

    assert len(running.names("archive")) == 3


def leave(running: Running, body: bytes = BODY, **more: object) -> None:
    with opened(settings(running, **more), Deadline(10.0)) as sftp:
        drop(sftp, settings(running, **more), "ow-000000001.edi", body)


def test_a_file_is_left_whole_under_its_name_and_a_second_time_changes_nothing(
    running: Running,
) -> None:
    leave(running)
    leave(running)

    assert running.names("inbound") == ["ow-000000001.edi"]
    assert (running.folder / "inbound" / "ow-000000001.edi").read_bytes() == BODY


def test_a_mark_follows_what_was_left(running: Running) -> None:
    leave(running, done_marker=".done")

    assert running.names("inbound") == ["ow-000000001.edi", "ow-000000001.edi.done"]


def test_what_a_dead_worker_began_is_swept_and_begun_anew(running: Running) -> None:
    (running.folder / "inbound" / ".ow-000000001.edi.0a0b0c0d.part").write_bytes(BODY[:7])
    (running.folder / "inbound" / ".ow-000000002.edi.0a0b0c0d.part").write_bytes(BODY[:7])

    leave(running)

    assert running.names("inbound") == [".ow-000000002.edi.0a0b0c0d.part", "ow-000000001.edi"]


def test_what_is_taken_at_once_was_left(own: Running) -> None:
    own.faults.take_at_once = True

    leave(own)

    assert own.names("inbound") == []
    assert own.names("archive") == ["taken-ow-000000001.edi"]


def test_sizes_that_are_not_told_are_done_without(own: Running) -> None:
    own.faults.no_sizes = True
    own.put("945-1.edi", BODY)
    kept = Kept()

    collect(own, kept, collect(own, kept))
    leave(own)

    assert list(kept.bodies.values()) == [BODY]
    assert own.names("inbound") == ["ow-000000001.edi"]


def test_a_connection_that_is_cut_leaves_no_half_and_the_next_try_goes_through(
    own: Running,
) -> None:
    body = os.urandom(300_000)
    own.faults.cut_after = 100_000
    with pytest.raises(RetryableError, match=r"SFTP server 127\.0\.0\.1"):
        leave(own, body)
    halves = own.names("inbound")
    own.faults.cut_after = None

    leave(own, body)

    assert all(one.endswith(".part") for one in halves)
    assert own.names("inbound") == ["ow-000000001.edi"]
    assert (own.folder / "inbound" / "ow-000000001.edi").read_bytes() == body


def test_a_reading_that_is_cut_is_made_again(own: Running) -> None:
    body = os.urandom(300_000)
    own.put("846.edi", body)
    kept = Kept()
    seen = collect(own, kept)
    own.faults.cut_after = 100_000
    with pytest.raises(RetryableError):
        collect(own, kept, seen)
    own.faults.cut_after = None

    collect(own, kept)

    assert list(kept.bodies.values()) == [body]
    assert len(own.names("archive")) == 1


def test_a_rename_that_is_refused_is_tried_again_later(own: Running) -> None:
    own.faults.refuse_rename = True

    with pytest.raises(RetryableError):
        leave(own)


def test_a_server_that_hangs_costs_no_more_than_the_deadline(own: Running) -> None:
    own.faults.hang = 30.0
    began = time.monotonic()

    with pytest.raises(RetryableError), opened(settings(own), Deadline(1.0)) as sftp:
        sftp.listdir("/outbound")

    assert time.monotonic() - began < 5.0


def test_a_server_that_falls_silent_between_files_is_not_waited_for_with_each(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CHANNEL", 0.5)
    for number in range(8):
        own.put(f"945-{number}.edi", BODY + b" " * number)
    seen = collect(own, Kept())

    def keep(file: Collected) -> bool:
        own.faults.hang = 2.0
        return True

    began = time.monotonic()
    STUCK.clear()
    with pytest.raises(RetryableError, match="in time"):
        collect(own, keep, seen)

    assert time.monotonic() - began < 3.0
    assert STUCK == {}


def test_a_server_that_is_away_or_silent_is_tried_again_later(own: Running) -> None:
    away = settings(own, port=9)
    with (
        pytest.raises(RetryableError, match=r"SFTP server 127\.0\.0\.1:9"),
        opened(away, Deadline(2.0)),
    ):
        pass


def test_an_unknown_host_key_is_refused_before_anything_is_told(own: Running) -> None:
    _, other = make_key()

    with (
        pytest.raises(CredentialsError, match="not pinned"),
        opened(settings(own, host_keys=[line(other)]), Deadline(5.0)),
    ):
        pass


def test_while_a_host_key_is_rotated_both_count(own: Running) -> None:
    _, other = make_key()
    both = "\n".join([line(other), *own.connection["host_keys"]])

    with opened(settings(own, host_keys=both), Deadline(5.0)) as sftp:
        assert sorted(sftp.listdir("/")) == ["archive", "inbound", "outbound"]


def test_a_refused_log_in_says_what_to_do(own: Running) -> None:
    own.faults.refuse_key = True

    with (
        pytest.raises(CredentialsError, match="have it added"),
        opened(settings(own), Deadline(5.0)),
    ):
        pass


def test_a_server_too_old_for_us_is_told_as_such(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What one side insists on is what the other has given up.
    own.faults.algorithms = ("diffie-hellman-group-exchange-sha256",)
    ours = tuple(one for one in Transport._preferred_kex if "group-exchange" not in one)
    monkeypatch.setattr(Transport, "_preferred_kex", ours)

    with (
        pytest.raises(CredentialsError, match=r"share no algorithm.*weaken nothing"),
        opened(settings(own), Deadline(5.0)),
    ):
        pass


def test_secrets_are_nowhere_to_be_seen(own: Running) -> None:
    body = own.connection["private_key"].splitlines()[1]

    assert body not in repr(settings(own))
    with pytest.raises(ValueError, match="private_key cannot be read") as wrong:
        settings(own, private_key=f"nonsense {body}")
    assert body not in str(wrong.value)


def test_a_file_that_cannot_be_taken_is_told_of_and_keeps_no_other_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickup, "LARGEST", len(BODY))
    running.put("1-huge.edi", BODY * 2)
    running.put("2.edi", BODY)
    kept = Kept()
    STUCK.clear()

    for _ in range(2):
        collect(running, kept, collect(running, kept))

    assert list(kept.bodies.values()) == [BODY]
    assert list(STUCK) == ["1-huge.edi"]
    assert "have it split" in STUCK["1-huge.edi"]
    assert running.names("outbound") == [".claimed/1-huge.edi"]


def test_a_name_as_long_as_there_may_be_and_one_of_two_lines_are_archived(
    running: Running,
) -> None:
    running.put("ü" * 120 + ".edi", BODY)
    running.put("two\nlines.edi", BODY + b"\n")
    (running.folder / "outbound" / "folder.edi").mkdir()
    if running.server is None:  # ours follows links, as no real one does
        (running.folder / "outbound" / "nowhere.edi").symlink_to("/nonexistent")
    kept = Kept()
    STUCK.clear()

    collect(running, kept, collect(running, kept))

    assert sorted(kept.bodies.values()) == [BODY, BODY + b"\n"]
    assert STUCK == {}
    assert len(running.names("archive")) == 2


@pytest.mark.parametrize("running", ["openssh"], indirect=True)
def test_a_name_that_is_no_text_is_for_a_person(running: Running) -> None:
    (running.folder / "outbound" / os.fsdecode(b"r\xfcck.edi")).write_bytes(BODY)

    with pytest.raises(CredentialsError, match="no UTF-8"):
        collect(running, Kept())


def test_a_mark_never_outlives_its_file(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.put("945-1.edi", BODY)
    running.put("945-1.edi.done", b"")
    real = SFTPClient.rename

    def die_after(self: SFTPClient, old: str, new: str) -> None:
        real(self, old, new)
        if "archive" in new:
            raise Dead

    monkeypatch.setattr(SFTPClient, "rename", die_after)
    with pytest.raises(Dead):
        collect(running, Kept(), done_marker=".done")
    monkeypatch.setattr(SFTPClient, "rename", real)
    running.put("945-1.edi", BODY[:5])
    kept = Kept()
    collect(running, kept, done_marker=".done")

    assert list(kept.bodies.values()) == [BODY]
    assert running.names("outbound") == ["945-1.edi"]


def test_what_has_its_name_is_there_where_sizes_are_not_told(own: Running) -> None:
    own.faults.no_sizes = True

    leave(own)
    leave(own)

    assert own.names("inbound") == ["ow-000000001.edi"]


def test_the_first_file_of_production_is_not_called_as_the_first_of_the_tests(own: Running) -> None:
    document = Document(
        code="940", operation="part.create", reference="A", segments=(segment("W05", "N", "A"),)
    )
    named = [
        parts._interchange(settings(own, usage=usage), "OW", 1, [document])[0]
        for usage in ("P", "T")
    ]

    assert named == ["ow-000000001.edi", "ow-test-000000001.edi"]
