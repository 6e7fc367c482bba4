"""One OData request at a time: addresses, queries, paging, and the errors F&O answers with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

from syncworkers.sandbox.dynamics365 import entities, numbers
from syncworkers.sandbox.dynamics365.books import MissingError, StaleError, WriteError
from syncworkers.sandbox.dynamics365.filters import FilterError, compile_filter, select
from syncworkers.sandbox.dynamics365.multipart import Answer, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.sandbox.dynamics365.books import Books

Record = dict[str, Any]
PAGE = 1000
"""Rows of an answer; the rest is behind an opaque `@odata.nextLink`."""
_ADDRESS = re.compile(r"(?P<set>\w+)(?:\((?P<key>.*)\))?$", re.DOTALL)
_KEY_PART = re.compile(r"\s*(\w+)\s*=\s*'((?:[^']|'')*)'\s*(?:,|$)")
_JSON = "application/json; odata.metadata=minimal; charset=utf-8"
_NO_SET = "No HTTP resource was found that matches the request URI: entity set not found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an address names: a set, perhaps one key of it, and the query."""

    entity_set: str
    key: tuple[str, ...] | None
    query: Mapping[str, str]

    @property
    def cross_company(self) -> bool:
        """Say whether all companies answer, not the user's own alone."""
        return self.query.get("cross-company", "").lower() == "true"


class AddressError(ValueError):
    """The address names nothing here; `args` are status and text."""


def read_target(path: str) -> Target:
    """Read an address relative to `/data/`, still percent-encoded. Raises `AddressError`."""
    address, _, query = path.rpartition("/data/")[2].lstrip("/").partition("?")
    match = _ADDRESS.match(unquote(address))
    if match is None or match["set"] not in entities.KEYS:
        raise AddressError(404, _NO_SET)
    fields = dict(parse_qsl(query, keep_blank_values=True))
    key = None if match["key"] is None else _key(match["set"], match["key"])
    return Target(entity_set=match["set"], key=key, query=fields)


def _key(entity_set: str, text: str) -> tuple[str, ...]:
    given = {name: value.replace("''", "'") for name, value in _KEY_PART.findall(text)}
    if set(given) != set(entities.KEYS[entity_set]):
        raise AddressError(400, f"The key of {entity_set} needs {entities.KEYS[entity_set]}.")
    return entities.key_of(entity_set, given)


class Api:
    """Answers single OData requests from the books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def answer(self, operation: Operation) -> Answer:
        """Answer one request; what it refuses has changed nothing."""
        with self._books.change_set():
            try:
                return self._answer(operation)
            except WriteError as error:
                return refusal(error.status, str(error), write=True)
            except MissingError:
                return refusal(404, "The requested resource was not found.")
            except StaleError:
                return refusal(412, "The record was changed by another user.")
            except (AddressError, FilterError) as error:
                status, text = error.args if len(error.args) == 2 else (400, error)
                return refusal(int(status), str(text))
            except ValueError as error:
                return refusal(400, f"The request cannot be read: {error}")

    def _answer(self, operation: Operation) -> Answer:
        target = read_target(operation.path)
        match operation.method, target.key:
            case "GET", None:
                return self._list(target)
            case "GET", _:
                return _one(200, self._find(target))
            case "POST", None:
                return self._create(target, _sent(operation))
            case "PATCH", key if key is not None:
                self._find(target)
                etag = operation.headers.get("if-match")
                record = self._books.update(target.entity_set, key, _sent(operation), etag)
                return Answer(status=204, headers={"ETag": record["@odata.etag"]})
        return refusal(405, f"{operation.method} is not allowed here.")

    def _find(self, target: Target) -> Record:
        record = self._books.sets[target.entity_set].get(target.key or ())
        if record is None or not self._visible(target, record):
            raise MissingError
        return record

    def _visible(self, target: Target, record: Record) -> bool:
        company = str(record.get("dataAreaId", self._books.default_company))
        return target.cross_company or company == self._books.default_company

    def _create(self, target: Target, sent: Record) -> Answer:
        record = self._books.create(target.entity_set, sent)
        key = ",".join(f"{name}='{record[name]}'" for name in entities.KEYS[target.entity_set])
        answer = _one(201, record)
        answer.headers["Location"] = f"/data/{target.entity_set}({key})"
        return answer

    def _list(self, target: Target) -> Answer:
        query = target.query
        test = compile_filter(query["$filter"]) if "$filter" in query else None
        table = self._books.sets[target.entity_set]
        rows = list(table.values()) if test is None else select(table, test)
        rows = [row for row in rows if self._visible(target, row)]
        for part in reversed([one for one in query.get("$orderby", "").split(",") if one]):
            name, _, direction = part.strip().partition(" ")
            rows.sort(key=lambda row: str(row.get(name, "")), reverse=direction == "desc")
        first = int(query.get("$skiptoken", 0)) + int(query.get("$skip", 0))
        last = min(first + PAGE, int(query.get("$top", PAGE)) + first)
        body: Record = {"@odata.context": f"$metadata#{target.entity_set}"}
        if query.get("$count") == "true":
            body["@odata.count"] = len(rows)
        body["value"] = [_selected(row, query.get("$select")) for row in rows[first:last]]
        if last < len(rows) and "$top" not in query:
            onward = {**query, "$skiptoken": str(last)} | {"$skip": "0"}
            body["@odata.nextLink"] = f"/data/{target.entity_set}?{urlencode(onward)}"
        return Answer(status=200, headers={"Content-Type": _JSON}, body=numbers.dumps(body))


def _sent(operation: Operation) -> Record:
    sent = numbers.loads(operation.body)
    if not isinstance(sent, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004 - answered as 400
    return sent


def _one(status: int, record: Record) -> Answer:
    headers = {"Content-Type": _JSON}
    if "@odata.etag" in record:
        headers["ETag"] = record["@odata.etag"]
    return Answer(status=status, headers=headers, body=numbers.dumps(record))


def _selected(record: Record, names: str | None) -> Record:
    if not names:
        return record
    wanted = {"@odata.etag", *(name.strip() for name in names.split(","))}
    return {name: value for name, value in record.items() if name in wanted}


def refusal(status: int, text: str, *, write: bool = False) -> Answer:
    """Make an error body as F&O writes it."""
    error: Record = {"code": "", "message": "An error has occurred." if write else text}
    if write:
        space = "Microsoft.Dynamics.Platform.Integration.Services.OData"
        error["innererror"] = {
            "message": text,
            "type": f"{space}.AxODataWriteException",
            "stacktrace": f"   at {space}.Update.UpdateProcessor.CreateEntity()",
        }
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status=status, headers=headers, body=numbers.dumps({"error": error}))
