from __future__ import annotations

from decimal import Decimal

import pytest

from syncworkers.connectors.dynamics365.batch import BatchError, Group, Operation, read, write

HEADER = Operation(method="POST", path="Headers?cross-company=true", body='{"a":"ü"}')
LINE = Operation(method="POST", path="Lines?cross-company=true", body='{"b":2}')
PATCH = Operation(method="PATCH", path="Headers(1)", body='{"c":3}', etag='W/"1"')
LOOK = Operation(method="GET", path="Headers?$filter=x")
CREATE = Group((HEADER, LINE))
READ = Group((LOOK,))
OUTER = "multipart/mixed; boundary=b"


def part(status: int, body: str = "{}", number: int | None = None, headers: str = "") -> str:
    identity = f"Content-ID: {number}\r\n" if number is not None else ""
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{identity}\r\n"
        f"HTTP/1.1 {status} Text\r\n{headers}Content-Type: application/json\r\n\r\n{body}"
    )


def change_set(*parts: str, boundary: str = "c") -> str:
    inner = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{inner}--{boundary}--\r\n"


def answer(*parts: str) -> bytes:
    return ("".join(f"--b\r\n{one}\r\n" for one in parts) + "--b--\r\n").encode()


def test_a_batch_holds_change_sets_and_reads_numbered_through():
    body = write([CREATE, Group((PATCH,)), READ], "b").decode()

    assert body == "\r\n".join(
        [
            "--b",
            "Content-Type: multipart/mixed; boundary=b_0",
            "",
            "--b_0",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 1",
            "",
            "POST Headers?cross-company=true HTTP/1.1",
            "Accept: application/json;odata.metadata=minimal",
            "OData-Version: 4.0",
            "OData-MaxVersion: 4.0",
            "Content-Type: application/json",
            "",
            '{"a":"ü"}',
            "--b_0",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 2",
            "",
            "POST Lines?cross-company=true HTTP/1.1",
            "Accept: application/json;odata.metadata=minimal",
            "OData-Version: 4.0",
            "OData-MaxVersion: 4.0",
            "Content-Type: application/json",
            "",
            '{"b":2}',
            "--b_0--",
            "--b",
            "Content-Type: multipart/mixed; boundary=b_1",
            "",
            "--b_1",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 3",
            "",
            "PATCH Headers(1) HTTP/1.1",
            "Accept: application/json;odata.metadata=minimal",
            "OData-Version: 4.0",
            "OData-MaxVersion: 4.0",
            'If-Match: W/"1"',
            "Content-Type: application/json",
            "",
            '{"c":3}',
            "--b_1--",
            "--b",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 4",
            "",
            "GET Headers?$filter=x HTTP/1.1",
            "Accept: application/json;odata.metadata=minimal",
            "OData-Version: 4.0",
            "OData-MaxVersion: 4.0",
            "",
            "",
            "--b--",
            "",
        ]
    )


def test_replies_are_matched_by_content_id_in_whatever_order():
    body = answer(
        part(200, '{"value":[]}', 3),
        change_set(part(201, '{"n":2}', 2), part(201, '{"n":1.10}', 1, 'ETag: W/"7"\r\n')),
    )

    created, looked = read(OUTER, body, [CREATE, READ])

    assert created.failure is None
    first, second = created.replies
    assert first is not None
    assert second is not None
    assert (first.status, first.headers["etag"], first.fields()) == (
        201,
        'W/"7"',
        {"n": Decimal("1.10")},
    )
    assert second.fields() == {"n": 2}
    assert [reply.body for reply in looked.replies if reply] == [b'{"value":[]}']


def test_a_failed_change_set_answers_with_one_part_and_spoils_no_other():
    body = answer(
        part(400, '{"error":{}}', 2),
        change_set(part(201, number=3), part(201, number=4)),
    )

    failed, created = read(OUTER, body, [CREATE, CREATE])

    assert failed.failure is not None
    assert (failed.failure.status, failed.replies) == (400, (None, None))
    assert created.failure is None
    assert [reply.status for reply in created.replies if reply] == [201, 201]


def test_a_failure_inside_a_change_set_answer_fails_it_whole():
    body = answer(change_set(part(201, number=1), part(500, number=2)))

    (failed,) = read(OUTER, body, [CREATE])

    assert failed.failure is not None
    assert failed.failure.status == 500


def test_parts_without_content_id_are_matched_by_position():
    body = answer(part(400), change_set(part(201), part(204, "")), part(200))

    failed, created, looked = read(OUTER, body, [CREATE, CREATE, READ])

    assert failed.failure is not None
    assert [reply.status for reply in created.replies if reply] == [201, 204]
    assert [reply.status for reply in looked.replies if reply] == [200]


def test_a_part_without_content_id_in_a_short_answer_belongs_to_nobody():
    body = answer(change_set(part(201, number=1), part(201, number=2)), part(400))

    created, missing, lost = read(OUTER, body, [CREATE, CREATE, CREATE])

    assert [reply.status for reply in created.replies if reply] == [201, 201]
    assert (missing.failure, missing.replies) == (None, (None, None))
    assert (lost.failure, lost.replies) == (None, (None, None))


def test_a_missing_reply_in_a_change_set_stays_unknown():
    body = answer(change_set(part(201, number=1)))

    (created,) = read(OUTER, body, [CREATE])

    assert [reply is None for reply in created.replies] == [False, True]


def test_two_answers_to_one_change_set_are_none():
    good = change_set(part(201, number=1), part(201, number=2))

    first, second = read(OUTER, answer(good, good), [CREATE, CREATE])

    assert (first.replies, second.replies) == ((None, None), (None, None))


def test_a_change_set_answer_that_names_two_groups_is_nobodys():
    mixed = change_set(part(201, number=1), part(201, number=3))

    first, second = read(OUTER, answer(mixed, part(400)), [CREATE, CREATE])

    assert first.replies == (None, None)
    assert second.failure is not None


def test_a_boundary_that_begins_like_the_outer_one_stays_inside():
    inner = change_set(part(201, number=1), part(201, number=2), boundary="b-1")

    created, looked = read(OUTER, answer(inner, part(200, number=3)), [CREATE, READ])

    assert [reply.status for reply in created.replies if reply] == [201, 201]
    assert [reply.body for reply in looked.replies if reply] == [b"{}"]


def test_bare_line_ends_a_quoted_boundary_and_a_preamble_are_understood():
    body = (
        b"preamble\n--b 1\nContent-Type: application/http\nContent-ID: 1\n\n"
        b"HTTP/1.1 200\nX: y\n\n{}\n--b 1--\nepilogue"
    )

    (looked,) = read('multipart/mixed;boundary="b 1"', body, [READ])

    assert [(reply.status, reply.body) for reply in looked.replies if reply] == [(200, b"{}")]


def test_an_answer_cut_short_leaves_the_rest_unknown():
    whole = answer(change_set(part(201, number=1), part(201, number=2)))
    cut = whole[: whole.index(b"Content-ID: 2")]

    (created,) = read(OUTER, cut, [CREATE])

    assert [reply is None for reply in created.replies] == [False, True]


def test_an_answer_cut_anywhere_never_claims_what_it_does_not_say():
    sent = [CREATE, READ, CREATE]
    whole = answer(
        change_set(part(201, number=1), part(201, number=2)),
        part(200, number=3),
        part(400, number=5),
    )

    for cut in range(len(whole)):
        created, looked, refused = read(OUTER, whole[:cut], sent)

        assert created.failure is None
        assert {reply.status for reply in created.replies if reply} <= {201}
        assert {reply.status for reply in looked.replies if reply} <= {200}
        assert refused.replies == (None, None)
        assert refused.failure is None or refused.failure.status == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html>502</html>"),
        ("multipart/mixed", b"--b--"),
        ("", b""),
    ],
)
def test_what_is_no_batch_answer_is_refused(content_type: str, body: bytes):
    with pytest.raises(BatchError):
        read(content_type, body, [CREATE])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--",
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--",
    ],
)
def test_an_answer_without_readable_parts_answers_nothing(body: bytes):
    (created,) = read(OUTER, body, [CREATE])

    assert (created.failure, created.replies) == (None, (None, None))
