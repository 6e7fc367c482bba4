"""The `$batch` of OData 4.0: many change sets and reads in one multipart call.

Contract: OData 4.0 part 1, section 11.7, as Dynamics 365 F&O speaks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.exact_json import load_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b")
_BLANK = re.compile(rb"\r?\n\r?\n")
_READ = "GET"


class BatchError(ValueError):
    """The answer is no multipart answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request inside a batch; `path` is relative to the service root, `body` JSON text."""

    method: str
    path: str
    body: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that succeed or fail together: a change set, or one read."""

    operations: tuple[Operation, ...]

    @property
    def is_read(self) -> bool:
        """Say whether it stands outside of any change set."""
        return self.operations[0].method == _READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to one operation. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def fields(self) -> dict[str, Any] | None:
        """Return the JSON object in the body; None if there is none."""
        try:
            fields = load_json(self.body)
        except ValueError:
            return None
        return fields if isinstance(fields, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReply:
    """What is known of a group: `failure` when it was refused whole, else a reply per operation.

    A reply that did not come is None: nobody knows what became of that operation.
    """

    failure: Reply | None
    replies: tuple[Reply | None, ...]


def write(groups: Sequence[Group], boundary: str) -> bytes:
    """Write the body of a batch. Operations are numbered through, from 1, in their Content-ID."""
    lines: list[str] = []
    number = 0
    for position, group in enumerate(groups):
        lines.append(f"--{boundary}")
        inner = f"{boundary}_{position}"
        if not group.is_read:
            lines += [f"Content-Type: multipart/mixed; boundary={inner}", ""]
        for operation in group.operations:
            number += 1
            if not group.is_read:
                lines.append(f"--{inner}")
            lines += _write_operation(operation, number)
        if not group.is_read:
            lines.append(f"--{inner}--")
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode()


def _write_operation(operation: Operation, number: int) -> Iterator[str]:
    yield "Content-Type: application/http"
    yield "Content-Transfer-Encoding: binary"
    yield f"Content-ID: {number}"
    yield ""
    yield f"{operation.method} {operation.path} HTTP/1.1"
    yield "Accept: application/json;odata.metadata=minimal"
    yield "OData-Version: 4.0"
    yield "OData-MaxVersion: 4.0"
    if operation.etag is not None:
        yield f"If-Match: {operation.etag}"
    if operation.body is not None:
        yield "Content-Type: application/json"
    yield ""
    yield operation.body or ""


def read(content_type: str, body: bytes, groups: Sequence[Group]) -> list[GroupReply]:
    """Read the answer to a batch: one entry per group, in order. Raises `BatchError`.

    Replies are matched by Content-ID. Those without one (failed change sets and reads of some
    servers) are matched by position, but only in an answer that has as many parts as we sent.
    """
    parts = [_Part.read(raw) for raw in _split(content_type, body)]
    owners = [group for group, one in enumerate(groups) for _ in one.operations]
    found: dict[int, _Part | None] = {}
    for position, part in enumerate(parts):
        owner = part.owner(owners)
        if owner is None and len(parts) == len(groups):
            owner = position
        if owner is not None:
            # Two answers to one group contradict each other: then nothing is known.
            found[owner] = None if owner in found else part
    first = 0
    answers = []
    for position, group in enumerate(groups):
        answers.append(_match(group, found.get(position), first))
        first += len(group.operations)
    return answers


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the outer answer: the replies of a change set, or a single reply."""

    replies: list[tuple[int | None, Reply]]

    @classmethod
    def read(cls, raw: bytes) -> _Part:
        headers, rest = _headers(raw)
        if headers.get("content-type", "").lower().startswith("multipart/"):
            try:
                inner = _split(headers["content-type"], rest)
            except BatchError:
                inner = []
            return cls(_replies([_headers(one) for one in inner]))
        return cls(_replies([(headers, rest)]))

    def owner(self, owners: Sequence[int]) -> int | None:
        """Return the group its Content-IDs name; -1 if they name none or several."""
        named = {
            owners[number - 1] if 0 < number <= len(owners) else -1
            for number, _ in self.replies
            if number is not None
        }
        if not named:
            return None
        return named.pop() if len(named) == 1 else -1


def _match(group: Group, part: _Part | None, first: int) -> GroupReply:
    size = len(group.operations)
    replies: list[Reply | None] = [None] * size
    if part is None:
        return GroupReply(failure=None, replies=tuple(replies))
    if not group.is_read:
        refused = [reply for _, reply in part.replies if reply.status >= 400]
        if refused:
            return GroupReply(failure=refused[0], replies=tuple(replies))
    for position, (number, reply) in enumerate(part.replies):
        index = number - 1 - first if number is not None else position
        trusted = number is not None or len(part.replies) == size
        if trusted and 0 <= index < size:
            replies[index] = reply
    return GroupReply(failure=None, replies=tuple(replies))


def _split(content_type: str, body: bytes) -> list[bytes]:
    """Cut a multipart body at its boundary; what follows the closing boundary is ignored."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_boundary()
    if not boundary or message.get_content_maintype() != "multipart":
        raise BatchError(f"no multipart answer but {content_type[:100]!r}")
    # A plain split: a regular expression over a megabyte costs fifty times as much.
    mark = b"\n--" + boundary.encode()
    parts: list[bytes] = []
    for piece in (b"\n" + body).split(mark)[1:]:
        if piece.startswith(b"--"):
            break
        rest, _, content = piece.partition(b"\n")
        if rest.strip():
            # A longer boundary that begins like ours: it belongs to what stands inside.
            if parts:
                parts[-1] += mark + piece
            continue
        parts.append(content)
    return [part.removesuffix(b"\r") for part in parts]


def _headers(raw: bytes) -> tuple[dict[str, str], bytes]:
    """Part headers from what follows the blank line; names in lower case."""
    if raw.startswith((b"\r\n", b"\n")):
        return {}, raw.lstrip(b"\r\n")
    cut = _BLANK.search(raw)
    head, rest = (raw, b"") if cut is None else (raw[: cut.start()], raw[cut.end() :])
    headers = {}
    for line in head.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, rest


def _replies(raw_parts: Sequence[tuple[dict[str, str], bytes]]) -> list[tuple[int | None, Reply]]:
    """Read what can be read: a part cut short leaves its own operation unknown, and no other."""
    found = (_reply(headers, raw) for headers, raw in raw_parts)
    return [reply for reply in found if reply is not None]


def _reply(part_headers: dict[str, str], raw: bytes) -> tuple[int | None, Reply] | None:
    raw = raw.lstrip(b"\r\n")
    status = _STATUS.match(raw)
    if status is None:
        return None
    headers, body = _headers(raw.partition(b"\n")[2])
    # Servers differ in where they put it; inside a part it is only a repetition.
    number = part_headers.get("content-id") or headers.get("content-id") or ""
    reply = Reply(status=int(status[1]), headers=headers, body=body)
    return int(number) if number.isdecimal() else None, reply
