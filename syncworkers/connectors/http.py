"""HTTP to a partner: keep-alive, one deadline for the whole call, transport errors as verdicts."""

from __future__ import annotations

import email.utils
import errno
import os
import threading
import time
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from urllib3.util import Timeout

from syncworkers.connectors.timed import TimedAdapter, exchange
from syncworkers.errors import RetryableError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_LIMIT = 5.0
CHUNK = 65536
ANSWER_LIMIT = 32 * 1024 * 1024
CORRELATION = "X-Correlation-ID"
_LOST = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class _TooLargeError(OSError):
    """The answer is longer than we are willing to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to make.

    `read` says that a repeat does no harm, whatever the method: a connection that proves stale is
    then replaced once. `correlation` leaves in a header, for the partner's logs.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    correlation: str = ""
    read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the partner answered, read to its end. Header names match in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int

    @property
    def text(self) -> str:
        """Return the body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def content_type(self) -> str:
        """Return the media type alone, in lower case: `application/json`."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> float | None:
        """Return the seconds the partner asks us to wait; None if it does not say."""
        # A date is compared with the partner's own clock where it shows it.
        now = http_date(self.headers.get("Date", "")) or time.time()
        return parse_retry_after(self.headers.get("Retry-After", ""), now)


def parse_retry_after(value: str, now: float) -> float | None:
    """Read a `Retry-After` header: seconds, also with a fraction, or an HTTP date."""
    value = value.strip()
    try:
        seconds = float(value)
    except ValueError:
        date = http_date(value)
        return None if date is None else max(0.0, date - now)
    return seconds if 0 <= seconds < float("inf") else None


def http_date(value: str) -> float | None:
    """Read an HTTP date as seconds since the epoch; None if it is none."""
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


class HttpClient:
    """The connections to one partner, shared by all threads of a process.

    They open with the first call in each process, so a client made before a fork is safe after it.
    Neither proxies, nor netrc, nor cookies, nor redirects: what is configured is what is called.
    """

    def __init__(self, *, connections: int = 16, answer_limit: int = ANSWER_LIMIT) -> None:
        self._connections = connections
        self._answer_limit = answer_limit
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._process = 0
        self.ahead: float | None = None
        """Seconds by which the partner's clock was ahead of ours in its last answer, if it showed
        one; whole seconds, and the answer's way, blur it."""

    def send(self, call: Call, seconds: float) -> Answer:
        """Make one call, answered and read to its end within `seconds`; any status is an answer.

        Raises `RetryableError` when nothing was sent, or when the call is a read;
        `UnknownOutcomeError` when it may have reached the partner.
        """
        prepared = _prepare(call)
        end = time.monotonic() + seconds
        try:
            return self._exchange(prepared, end)
        except _LOST as error:
            if not (call.read and _is_stale(error) and exchange.spoken and end > time.monotonic()):
                raise _verdict(prepared, error, read=call.read) from None
        try:
            return self._exchange(prepared, end)
        except _LOST as error:
            raise _verdict(prepared, error, read=call.read) from None

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None and self._process == os.getpid():
            session.close()

    def _open(self) -> requests.Session:
        with self._lock:
            if self._session is None or self._process != os.getpid():
                session = requests.Session()
                session.trust_env = False
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                for scheme in ("http://", "https://"):
                    session.mount(scheme, TimedAdapter(self._connections))
                self._session, self._process = session, os.getpid()
            return self._session

    def _exchange(self, prepared: requests.PreparedRequest, end: float) -> Answer:
        begun = time.monotonic()
        exchange.begin(end)
        left = exchange.left()
        response = self._open().send(
            prepared,
            stream=True,
            allow_redirects=False,
            timeout=Timeout(connect=min(CONNECT_LIMIT, left), total=left),  # type: ignore[arg-type]
        )
        try:
            body = self._read(response)
        except BaseException:
            response.close()
            raise
        told = http_date(response.headers.get("Date", ""))
        self.ahead = None if told is None else told - time.time()
        return Answer(
            status=response.status_code,
            headers=response.headers,
            body=body,
            duration_ms=round((time.monotonic() - begun) * 1000),
        )

    def _read(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        for part in response.raw.stream(CHUNK, decode_content=True):
            size += len(part)
            if size > self._answer_limit:
                raise _TooLargeError(errno.EMSGSIZE, f"answer over {self._answer_limit} bytes")
            parts.append(part)
        return b"".join(parts)


def _prepare(call: Call) -> requests.PreparedRequest:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(
        {"Accept-Encoding": "gzip, deflate", "User-Agent": "syncworkers"}
    )
    if call.correlation:
        headers[CORRELATION] = call.correlation
    headers.update(call.headers)
    prepared = requests.PreparedRequest()
    prepared.prepare(method=call.method, url=call.url, headers=headers, data=call.body)
    return prepared


def _verdict(
    prepared: requests.PreparedRequest, error: Exception, *, read: bool
) -> RetryableError | UnknownOutcomeError:
    """Say what became of the call. Only host, path and the kind of error are told: no secrets."""
    address = urlsplit(prepared.url or "")
    told = f"{prepared.method} {address.hostname}{address.path}: {_cause(error)}"
    if not exchange.spoken:
        return RetryableError(f"{told}; nothing was sent")
    if read:
        return RetryableError(f"{told}; it was a read, nothing changed")
    return UnknownOutcomeError(f"{told}; it may have reached the partner")


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and all it wraps, outermost first."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        one = queue.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            queue += [getattr(one, "reason", None), one.__cause__, *one.args]
            if not one.__suppress_context__:
                queue.append(one.__context__)
    return found


def _cause(error: BaseException) -> str:
    chain = _chain(error)
    told = [one.strerror for one in chain if isinstance(one, OSError) and one.errno]
    if told:
        return str(told[0])
    if any(isinstance(one, (TimeoutError, urllib3.exceptions.TimeoutError)) for one in chain):
        return "timed out"
    return type(chain[-1]).__name__


def _is_stale(error: BaseException) -> bool:
    """Say whether the connection broke off: how a keep-alive closed by the server shows itself."""
    kinds = (ConnectionError, requests.ConnectionError)
    return any(isinstance(one, kinds) for one in _chain(error))
