"""Read posted invoices: those of some days, and whole ones by number.

Contract: SalesInvoiceHeadersV2 and SalesInvoiceLinesV2 of 10.0.x. Their keys are unverified
(InvoiceNumber, InvoiceDate, LedgerVoucher likely), and that they show dataAreaId is taken from all
other sets of a company.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syncworkers.connectors.base import Header, Record
from syncworkers.connectors.dynamics365 import batch
from syncworkers.connectors.dynamics365.answers import failed_read, read_refusal
from syncworkers.connectors.dynamics365.batches import batch_call
from syncworkers.connectors.dynamics365.odata import filter_address, literal
from syncworkers.connectors.dynamics365.replies import LOST, onward_of, refusal_of, rows_of
from syncworkers.connectors.exact_json import dump_json, load_json
from syncworkers.connectors.http import Call
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.replies import Rows
    from syncworkers.connectors.dynamics365.settings import Settings

    Key = tuple[str, str]

KIND = "invoice"
TOGETHER = 40
"""Invoices read by one batch call."""
DAY = dt.timedelta(days=1)


def changed(
    environment: Environment, settings: Settings, since: dt.datetime, until: dt.datetime
) -> Iterator[list[Header]]:
    """Yield pages of what was invoiced in a window, both ends included.

    An invoice knows no moment, only its company's day, which may be the one before or after ours.
    One that was dated back further is not seen here, only by its event.
    """
    reading = Reading(environment, settings)
    for rows in reading.pages(_window_address(settings, since, until), "invoice_header_set"):
        headers = (_header(settings, row) for row in rows)
        yield [header for header in headers if header is not None]


def fetch(
    environment: Environment, settings: Settings, external_ids: Sequence[str]
) -> list[Record]:
    """Read whole invoices by `<company>/<number>`; what the ERP does not have is left out.

    A body is `{"header": {...}, "lines": [{...}]}`, its numbers with all their digits.
    """
    keys = {one: _key(one) for one in external_ids}
    ours = [one for one, key in keys.items() if key[0] in settings.companies and key[1]]
    reading = Reading(environment, settings)
    records: list[Record] = []
    for start in range(0, len(ours), TOGETHER):
        some = ours[start : start + TOGETHER]
        found = zip(some, reading.invoices([keys[one] for one in some]), strict=True)
        records += [_record(one, *parts) for one, parts in found if parts[0]]
    return records


class Reading:
    """The calls of one reading."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self._environment = environment
        self._settings = settings

    def invoices(self, keys: Sequence[Key]) -> list[tuple[Rows, Rows]]:
        """Read the headers and lines under some numbers, all in one call."""
        sets = ("invoice_header_set", "invoice_line_set")
        groups = [
            batch.Group((batch.Operation(method="GET", path=self._by_number(part, key)),))
            for key in keys
            for part in sets
        ]
        answer = self._environment.call(batch_call(uuid.uuid4().hex, groups, is_read=True))
        if not 200 <= answer.status < 300:
            refusal = read_refusal(answer.status, answer.body, after=answer.retry_after)
            raise failed_read(refusal, "invoices cannot be read")
        try:
            replies = batch.read(answer.headers.get("Content-Type", ""), answer.body, groups)
        except batch.BatchError as error:
            raise RetryableError(f"invoices cannot be read: {error}") from None
        read = [
            self._rows(reply.replies[0], sets[place % 2]) for place, reply in enumerate(replies)
        ]
        return list(zip(read[::2], read[1::2], strict=True))

    def _by_number(self, setting: str, key: Key) -> str:
        fields = {"dataAreaId": key[0], "InvoiceNumber": key[1]}
        return filter_address(getattr(self._settings, setting), fields)

    def _rows(self, reply: batch.Reply | None, setting: str) -> Rows:
        if reply is None:
            raise RetryableError(f"invoices cannot be read: {LOST}")
        if reply.status != 200:
            raise failed_read(refusal_of(reply), self._what(setting))
        rows, onward = self._page(reply.fields(), setting)
        if onward is not None:
            rows = [*rows, *(row for page in self.pages(onward, setting) for row in page)]
        return rows

    def pages(self, address: str, setting: str) -> Iterator[Rows]:
        """Yield the pages of a list; where it goes on is the server's business."""
        onward: str | None = address
        followed: set[str] = set()
        while onward is not None:
            if onward in followed:
                raise RetryableError(f"{self._what(setting)}: the list goes on where it was")
            followed.add(onward)
            answer = self._environment.call(Call(method="GET", url=f"data/{onward}", read=True))
            if answer.status != 200:
                refusal = read_refusal(answer.status, answer.body, after=answer.retry_after)
                raise failed_read(refusal, self._what(setting))
            rows, onward = self._page(_fields(answer.body), setting)
            yield rows

    def _page(self, fields: Any, setting: str) -> tuple[Rows, str | None]:
        rows = rows_of(fields)
        if rows is None:
            raise RetryableError(f"{self._what(setting)}: the answer is no list of entities")
        link = onward_of(fields)
        return rows, None if link is None else _relative(link)

    def _what(self, setting: str) -> str:
        return f"{getattr(self._settings, setting)} cannot be read ([connection] {setting})"


def _relative(link: str) -> str:
    """Take only the path of a link: our token goes to nobody but the environment we know."""
    _, found, rest = link.partition("/data/")
    return rest if found else link.lstrip("/")


def _fields(body: bytes) -> Any:
    try:
        fields = load_json(body)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _window_address(settings: Settings, since: dt.datetime, until: dt.datetime) -> str:
    companies = " or ".join(f"dataAreaId eq {literal(one)}" for one in sorted(settings.companies))
    first, last = _day(since) - DAY, _day(until) + DAY
    terms = (
        f"({companies}) and InvoiceDate ge {first}T00:00:00Z and InvoiceDate le {last}T23:59:59Z"
    )
    names = "dataAreaId,InvoiceNumber,InvoiceDate"
    return (
        f"{settings.invoice_header_set}?$filter={quote(terms, safe='')}"
        f"&$select={names}&cross-company=true"
    )


def _day(time: dt.datetime) -> dt.date:
    return time.astimezone(dt.UTC).date()


def _header(settings: Settings, row: Mapping[str, Any]) -> Header | None:
    """Describe an invoice of ours; `updated_at` is noon UTC of its day, as F&O writes it."""
    company, number = str(row.get("dataAreaId", "")).lower(), row.get("InvoiceNumber")
    if company not in settings.companies or not isinstance(number, str) or not number:
        return None
    try:
        day = dt.date.fromisoformat(str(row.get("InvoiceDate"))[:10])
    except ValueError:
        raise RetryableError(
            f"invoice {company}/{number} has no date that can be read:"
            f" {str(row.get('InvoiceDate'))[:40]!r}"
        ) from None
    noon = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
    return Header(external_id=f"{company}/{number}", updated_at=noon)


def _key(external_id: str) -> Key:
    company, _, number = external_id.partition("/")
    return company.lower(), number


def _record(external_id: str, headers: Rows, lines: Rows) -> Record:
    """Put an invoice together.

    Where a number was given again in a later year, the latest counts; a voucher ties its lines.
    """
    header = max(headers, key=lambda row: str(row.get("InvoiceDate", "")))
    mine = [line for line in lines if _voucher(line) in {"", _voucher(header)}]
    whole = {"header": header, "lines": mine if _voucher(header) else lines}
    return Record(external_id=external_id, body=dump_json(whole))


def _voucher(row: Mapping[str, Any]) -> str:
    return str(row.get("LedgerVoucher") or "")
