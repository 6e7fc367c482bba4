"""Logs: JSON lines in production, readable lines in dev, and nothing personal or secret in either.

Our own loggers and those of libraries go the same way. What a line is about (correlation id,
partner, lane, task) is bound once with `bound` and stands in every line below it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
LONGEST = 8000
"""Characters of one value; a log line is no place for a payload."""

CHATTY = (
    "alembic.runtime.migration",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "urllib3",
)
"""Loggers that say something for every message; their warnings and errors are heard."""

SECRETS = "authorization password passwd secret token credential credentials cookie hmac signature"
PERSONAL = (
    "email phone mobile address address1 address2 street city zip postcode postal firstname "
    "lastname surname fullname recipient birthday"
)
PAYLOADS = "body payload snapshot headers sent answer"
SENSITIVE = frozenset(f"{SECRETS} {PERSONAL} {PAYLOADS}".split())
"""A key with one of these words has its value redacted."""
JOINED = frozenset({"api_key", "private_key", "first_name", "last_name", "full_name", "ship_to"})

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*")
_PAIRS = "|".join(
    [*SECRETS.split(), "email", "phone", "address[12]?", "api_?key", "first_?name", "last_?name"]
)
_TEXT = re.compile(
    r"(?P<database>\[(?:SQL|parameters): .*|\bDETAIL:.*|\bCONTEXT:.*)"
    rf"|(?P<pair>(?i:[\w-]{{0,40}}(?:{_PAIRS})[\w-]{{0,40}})[\"']?\s*[:=]\s*(?i:bearer\s+|basic\s+)?)"
    r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"'})\]]+)"
    r"|(?P<login>://)[^/\s@]+@"
    r"|(?P<scheme>\b(?i:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|\bshp[a-z]{2}_\w+"
    r"|[\w.+%-]{1,64}@[\w-]+\.[\w.-]+\w"
    r"|\+\d[\d ().-]{7,}\d"
)


def configure(
    environment: str, level: int | str = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send all logs of this process to `stream` (standard error), as the environment likes them."""
    structlog.configure(
        processors=[
            merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            _hand_over,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(environment))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def bound(**names: str | None) -> AbstractContextManager[Any]:
    """Bind what the lines below are about: `correlation_id`, `partner`, `lane`, `task`."""
    return bound_contextvars(**{name: value for name, value in names.items() if value is not None})


def scrub(value: Any, key: str = "") -> Any:
    """Return the value without secrets and personal data, for logs and for error reports."""
    if (
        key
        and is_sensitive(key)
        and value is not None
        and not isinstance(value, bool | int | float)
    ):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): scrub(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(part) for part in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return scrub_text(str(value))


def scrub_text(text: str) -> str:
    """Take secrets, addresses of people and statement parameters out of free text."""
    return _TEXT.sub(_redact, _shortened(text))


def _shortened(text: str) -> str:
    """Cut out the middle, at a line's end: half a statement's parameters look like any text."""
    if len(text) <= LONGEST:
        return text
    head, tail = text[: LONGEST // 2], text[-LONGEST // 2 :].partition("\n")[2]
    return f"{head} [{len(text) - len(head) - len(tail)} characters left out]\n{tail}".rstrip()


def is_sensitive(key: str) -> bool:
    """Say whether values under this key stay out of logs."""
    words = [word.lower() for word in _WORDS.findall(key)]
    return not SENSITIVE.isdisjoint(words) or any(
        "_".join(pair) in JOINED for pair in pairwise(words)
    )


def _redact(found: re.Match[str]) -> str:
    kept = found["pair"] or found["scheme"] or found["login"] or ""
    return f"{kept}{REDACTED}{'@' if found['login'] else ''}"


def _hand_over(
    logger: WrappedLogger, name: str, event_dict: EventDict
) -> tuple[tuple[EventDict], dict[str, Any]]:
    """Give the standard library the scrubbed line, and the exception itself beside it.

    Scrubbed here and not only when formatted, because error reports read the record.
    """
    error = event_dict.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    extra = {"_logger": logger, "_name": name}
    return (_scrub_event(logger, name, event_dict),), {"exc_info": error or None, "extra": extra}


def _scrub_event(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    return {
        key: value if key.startswith("_") else scrub(value, key)
        for key, value in event_dict.items()
    }


def _exception_of_record(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    record = event_dict["_record"]
    if record.exc_info:
        event_dict["exc_info"] = record.exc_info
    # The record is the formatter's own copy; left there, it would be printed again, unscrubbed.
    record.exc_info = record.exc_text = None
    return event_dict


def _formatter(environment: str) -> ProcessorFormatter:
    last: Processor = structlog.processors.JSONRenderer()
    if environment == "dev":
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    return ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            _exception_of_record,
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _scrub_event,
            last,
        ],
        keep_exc_info=True,
    )
