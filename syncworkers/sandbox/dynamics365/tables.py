"""An entity set that finds records by the values of some fields without reading all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Key = tuple[str, ...]
Record = dict[str, Any]
Values = tuple[Any, ...]
Index = dict[Values, dict[Key, Record]]


class Table(dict[Key, Record]):
    """Records by key. What is indexed of a record must not change; a filter checks it anyway."""

    def __init__(self) -> None:
        super().__init__()
        self._indexes: dict[Key, tuple[Callable[[Record], Values], Index]] = {}

    def __setitem__(self, key: Key, record: Record) -> None:
        """Enter a record, or replace it."""
        super().__setitem__(key, record)
        for values, index in self._indexes.values():
            index.setdefault(values(record), {})[key] = record

    def __delitem__(self, key: Key) -> None:
        """Take a record out."""
        record = self[key]
        super().__delitem__(key)
        for values, index in self._indexes.values():
            index.get(values(record), {}).pop(key, None)

    def having(
        self, fields: Key, wanted: Iterable[Values], values: Callable[[Record], Values]
    ) -> list[Record]:
        """Return the records with one of the wanted values, in the order of their keys.

        `values` reads the fields of a record as filters compare them; the first question for some
        fields costs a look at all records.
        """
        if fields not in self._indexes:
            index: Index = {}
            for key, record in self.items():
                index.setdefault(values(record), {})[key] = record
            self._indexes[fields] = (values, index)
        _, index = self._indexes[fields]
        found = {key: record for one in wanted for key, record in index.get(one, {}).items()}
        return [record for _, record in sorted(found.items(), key=lambda item: item[0])]
