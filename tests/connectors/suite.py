"""What every connector must do, whatever its partner.

A module of tests takes all of it by `from tests.connectors.suite import *`, and gives the fixture
`running`.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mappings import READS
from syncworkers.connectors.base import Deadline, ProofError, Verdict
from syncworkers.engine.tokens import SharedTokens
from syncworkers.errors import SyncError
from syncworkers.sandbox.dynamics365 import odata
from syncworkers.store import codec
from tests.connectors.bench import DEADLINE
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.base import Outcome, Request
    from tests.connectors.bench import Bench

DONE = {Verdict.CONFIRMED, Verdict.ADOPTED}
REPEATS = 40
"""Answers of a partner that repeats itself; whoever asks for more would never end."""


@dataclass
class Running:
    """A bench whose simulator is served, and a connector to it."""

    name: str
    """The kind, as the registries name it."""
    bench: Bench
    url: str
    tokens: SharedTokens
    made: Any

    def push(self, *requests: Request, seconds: float = 20.0) -> list[Outcome]:
        found: list[Outcome] = self.made.push(requests, Deadline(seconds))
        return found

    def find(self, *requests: Request) -> list[Outcome]:
        found: list[Outcome] = self.made.find(requests, Deadline(20.0))
        return found

    def fail_create(self, fault: str) -> None:
        """Let the call that makes the next thing go wrong, not the looks before it."""
        self.bench.plan.switch({"next": ["slow"] * self.bench.looks_first + [fault]})

    def settle(self, request: Request) -> list[Verdict]:
        """Do as the engine does: push, and look up what is unknown, until it is there."""
        verdicts: list[Verdict] = []
        for _ in range(6):
            unknown = bool(verdicts) and verdicts[-1] is Verdict.UNKNOWN
            [outcome] = self.find(request) if unknown else self.push(request)
            verdicts.append(outcome.verdict)
            if outcome.verdict in DONE:
                return verdicts
        return verdicts


@contextmanager
def on_bench(name: str, bench: Bench, tokens: SharedTokens) -> Iterator[Running]:
    """Serve a bench's simulator, and connect to it."""
    with serving(bench.program) as url:
        made = bench.connect(url, tokens)
        yield Running(name, bench, url, tokens, made)
        made.close()


def test_the_same_create_twice_is_one_effect(running: Running) -> None:
    wanted = running.bench.create(1)

    first, again = running.push(wanted), running.push(wanted)

    assert [one.verdict for one in first] == [Verdict.CONFIRMED]
    assert [one.verdict for one in again] == [Verdict.ADOPTED]
    assert running.bench.effects(1) == 1


def test_what_is_there_is_found_and_what_is_not_is_absent(running: Running) -> None:
    there, absent = running.bench.create(1), running.bench.create(2)
    [made] = running.push(there)

    found, missing = running.find(there, absent)

    assert found.verdict is Verdict.ADOPTED
    assert found.external_id == made.external_id
    assert missing.verdict is Verdict.ABSENT


def test_a_time_out_after_the_effect_is_adopted_and_not_repeated(running: Running) -> None:
    wanted = running.bench.create(1)
    running.fail_create("timeout_after")

    assert running.settle(wanted) == [Verdict.UNKNOWN, Verdict.ADOPTED]
    assert running.bench.effects(1) == 1


@pytest.mark.parametrize("fault", ["reset", "server_error", "timeout_before"])
def test_a_call_that_was_lost_is_looked_up_before_it_is_repeated(
    running: Running, fault: str
) -> None:
    wanted = running.bench.create(1)
    running.fail_create(fault)
    [lost] = running.push(wanted)
    effects = running.bench.effects(1)
    [looked] = running.find(wanted)

    assert lost.verdict in {Verdict.UNKNOWN, Verdict.RETRY}
    assert (effects, looked.verdict) == (0, Verdict.ABSENT)


def test_a_partner_that_wants_quiet_gets_it_for_as_long_as_it_says(running: Running) -> None:
    wanted = running.bench.create(1)
    running.fail_create("throttle")

    [outcome] = running.push(wanted)

    assert outcome.verdict is Verdict.RETRY
    assert outcome.pause
    assert outcome.after is not None
    assert 0 < outcome.after <= 60
    assert running.bench.effects(1) == 0


def test_a_refusal_is_for_good_and_can_be_read(running: Running) -> None:
    [outcome] = running.push(running.bench.refused(1))

    assert outcome.verdict is Verdict.REJECTED
    assert outcome.violations
    for violation in outcome.violations:
        assert violation.code
        assert len(violation.message) > 10
    assert running.bench.effects(1) == 0


def test_a_refused_one_does_not_take_others_along(running: Running) -> None:
    requests = [running.bench.create(1), running.bench.refused(2), running.bench.create(3)]
    if running.bench.kind == "invoice":  # its refusal falls upon the first of a batch
        requests = [requests[1]]

    outcomes = running.push(*requests)

    assert Verdict.REJECTED in {one.verdict for one in outcomes}
    assert len(outcomes) == len(requests)


def test_no_call_begins_after_the_deadline(running: Running) -> None:
    wanted = running.bench.create(1)
    before = running.bench.calls.books()["calls"]

    pushed = running.push(wanted, seconds=0.0)
    found = running.made.find([wanted], Deadline(0.0))

    assert [one.verdict for one in (*pushed, *found)] == [Verdict.NOT_STARTED] * 2
    assert running.bench.calls.books()["calls"] == before


def test_an_answer_that_drips_ends_with_the_deadline_of_its_call(running: Running) -> None:
    with dripping() as url:
        made = running.bench.connect(url, running.tokens)
        begun = time.monotonic()
        [outcome] = made.push([running.bench.create(1)], Deadline(20.0))
        took = time.monotonic() - begun
        made.close()

    assert outcome.verdict not in DONE
    assert took < 4 * DEADLINE  # a token, a look, and the change at most


def window() -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return now - dt.timedelta(minutes=5), now + dt.timedelta(minutes=5)


def test_paging_reads_everything_once_and_ends(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odata, "PAGE", 100)
    wanted = running.bench.fill(260)

    pages = list(running.made.changed(running.bench.kind, *window()))

    found = [one.external_id for page in pages for one in page]
    assert len(pages) > 1
    assert set(found) == wanted


def test_paging_ends_although_every_page_is_the_first_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odata, "PAGE", 100)
    running.bench.fill(260)
    asked: list[str] = []
    with serving(repeating(running.bench.program, asked)) as url:
        made = running.bench.connect(url, running.tokens)
        try:
            list(made.changed(running.bench.kind, *window()))
        except SyncError as error:
            assert str(error)  # to say so is as good as to stop
        made.close()

    assert len(asked) < REPEATS


def test_a_token_that_expires_is_renewed_once_for_all_workers(running: Running) -> None:
    if running.bench.tokens_issued() is None:
        pytest.skip("tokens of this partner do not expire")
    workers = [running.bench.connect(running.url, running.tokens) for _ in range(4)]
    workers[0].fetch(running.bench.kind, [running.bench.an_id])
    running.bench.expire_tokens()
    before = running.bench.tokens_issued() or 0
    asked = [running.bench.kind, [running.bench.an_id]]
    threads = [threading.Thread(target=one.fetch, args=asked) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert running.bench.tokens_issued() == before + 1


def test_no_secret_shows_in_outcomes_logs_or_representations(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stranger = running.bench.connect(running.url, NoTokens(), wrong_secret=True)
    shown = [repr(stranger.push([running.bench.create(1)], Deadline(5.0)))]
    shown += [repr(running.push(running.bench.create(2), running.bench.refused(3)))]
    for made in (stranger, running.made):
        shown += [repr(made), repr(vars(made)), *made.check()]
        try:
            made.fetch(running.bench.kind, [running.bench.an_id])
        except SyncError as error:
            shown.append(repr(error))
    text = "\n".join([*shown, caplog.text])

    assert text
    for secret in running.bench.secrets:
        assert secret not in text


def test_credentials_that_are_refused_pause_and_burn_no_attempt(running: Running) -> None:
    stranger = running.bench.connect(running.url, NoTokens(), wrong_secret=True)

    [outcome] = stranger.push([running.bench.create(1)], Deadline(5.0))

    assert outcome.verdict is Verdict.RETRY
    assert (outcome.pause, outcome.credentials) == (True, True)


def test_whatever_is_read_loads_and_a_new_key_is_drift_and_no_failure(running: Running) -> None:
    bodies = running.bench.bodies(running.made)
    kind = running.name

    assert set(bodies) == {topic for connector, topic in READS if connector == kind}
    for topic, body in bodies.items():
        subject, _ = READS[kind, topic].load(body)
        grown = {**json.loads(body), "brand_new_key": {"a": 1}}
        again, drift = READS[kind, topic].load(json.dumps(grown))
        assert again == subject
        assert "brand_new_key" in drift
        assert codec.load(codec.dump(subject), type(subject)) == subject


def test_a_body_is_described_alike_however_often_it_comes(running: Running) -> None:
    body = json.dumps({"id": 1, "type": "com.adobe.commerce.x", "eventid": "e"}).encode()
    body = proven(running, body)
    headers, path = running.bench.signed(body)

    first, again = (running.made.receive(headers, body, path) for _ in range(2))

    assert first == again
    assert first.external_id


def proven(running: Running, body: bytes) -> bytes:
    """Return a body that is meant for us."""
    fields = json.loads(body)
    return json.dumps({**fields, "recipientclientid": "project"}).encode()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff\xfe", b"{" * 2000, b"null", b'{"id": {}}']
)
def test_a_forged_body_is_refused_and_a_proven_one_never_raises_anything_else(
    running: Running, body: bytes
) -> None:
    headers, path = running.bench.forged(body)
    with pytest.raises(ProofError):
        running.made.receive(headers, body, path)
    headers, path = running.bench.signed(body)
    try:
        heard = running.made.receive(headers, body, path)
    except ProofError:
        return  # nobody can tell for whom it is
    assert heard.external_id
    assert heard.topic


class NoTokens:
    """Keeps no token, so that each call fetches its own."""

    def get(self, name: str, fetch: Any) -> str:
        value: str = fetch().value
        return value

    def drop(self, name: str, token: str) -> None: ...


@contextmanager
def dripping() -> Iterator[str]:
    """A partner that answers one byte a second, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while not over.wait(0.3):
                        connection.sendall(b" ")
                except OSError:
                    return

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()


def repeating(program: Any, asked: list[str]) -> Any:
    """A partner that answers every question for more with the first page again."""
    kept: dict[tuple[str, bytes], tuple[str, list[tuple[str, str]], bytes]] = {}

    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if "token" in path:
            return program(environ, start)  # type: ignore[no-any-return]
        key = (path, body[:60])
        asked.append(path)
        if len(asked) > 2 * REPEATS:
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"asked too often"]
        if key not in kept:
            told: list[Any] = []

            def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
                told.extend((status, headers))

            whole = b"".join(program(environ, keep))
            kept[key] = (told[0], told[1], whole)
        status, headers, whole = kept[key]
        start(status, headers)
        return [whole]

    return answer
