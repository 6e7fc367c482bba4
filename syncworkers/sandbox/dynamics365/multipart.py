"""`$batch` as the server sees it: change sets and reads in, an answer part for each out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request inside a batch. Header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    content_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: status, reason, headers, body."""

    status: int
    headers: dict[str, str]
    body: str = ""


REASONS = {200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 404: "Not Found"}
REASONS |= {412: "Precondition Failed", 500: "Internal Server Error", 429: "Too Many Requests"}


def read(content_type: str, body: bytes) -> list[tuple[bool, list[Operation]]]:
    """Read a batch as (is a change set, its operations). Raises ValueError."""
    whole = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body
    message: Any = BytesParser(policy=policy.compat32).parsebytes(whole)
    if not message.is_multipart():
        raise ValueError("The message is not multipart/mixed.")
    groups = []
    for part in message.get_payload():
        if part.is_multipart():
            groups.append((True, [_operation(inner) for inner in part.get_payload()]))
        else:
            groups.append((False, [_operation(part)]))
    return groups


def _operation(part: Any) -> Operation:
    raw: bytes = part.get_payload(decode=True)
    head, _, body = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    first, *rest = head.decode().split("\n")
    method, path, _ = first.split(" ", 2)
    headers = dict(_header(line) for line in rest if ":" in line)
    return Operation(
        method=method,
        path=path,
        headers=headers,
        body=body.strip(),
        content_id=part["Content-ID"] or headers.get("content-id"),
    )


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def write(groups: Sequence[tuple[bool, list[tuple[str | None, Answer]]]]) -> tuple[str, bytes]:
    """Write the answer; a failed change set is one answer outside of any change set."""
    boundary = f"batchresponse_{uuid.uuid4()}"
    lines: list[str] = []
    for is_set, answers in groups:
        lines.append(f"--{boundary}")
        inner = f"changesetresponse_{uuid.uuid4()}"
        if is_set:
            lines += [f"Content-Type: multipart/mixed; boundary={inner}", ""]
        for content_id, answer in answers:
            if is_set:
                lines.append(f"--{inner}")
            lines += _answer(content_id, answer)
        if is_set:
            lines.append(f"--{inner}--")
    lines += [f"--{boundary}--", ""]
    return f"multipart/mixed; boundary={boundary}", "\r\n".join(lines).encode()


def _answer(content_id: str | None, answer: Answer) -> list[str]:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Error')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += ["OData-Version: 4.0", "", answer.body]
    return lines
