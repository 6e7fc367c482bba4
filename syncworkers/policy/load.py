"""Read config/*.toml into the policy: every mistake at once, each with its file, key and remedy."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError

from syncworkers.policy import schemas
from syncworkers.policy.policy import Policy
from syncworkers.policy.secrets import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import FulfilmentPolicy
    from syncworkers.policy.partners import PartnerPolicy

Table = dict[str, Any]


class PolicyError(Exception):
    """The configuration is wrong; the text lists every mistake, a line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("the configuration is wrong:\n  " + "\n  ".join(mistakes))
        self.mistakes = tuple(mistakes)


def load_policy(folder: Path | str, environment: str, env: Mapping[str, str]) -> Policy:
    """Read the whole policy of one environment.

    `config/environments/<environment>.toml` overlays the other files. Secrets come from `env` or
    from files, never from the configuration itself. Raises `PolicyError`.
    """
    reader = _Reader(Path(folder), env)
    overlay = reader.read(f"environments/{environment}.toml", required=False)
    partners = reader.partners(overlay.pop("partners", {}))
    bookings = reader.bookings(overlay.pop("booking", {}))
    fulfilment = reader.fulfilment(overlay.pop("fulfilment", {}))
    expectations = reader.expectations(overlay.pop("sla", {}))
    reader.refuse_unknown(overlay, environment)
    reader.cross_check(partners, bookings)
    if fulfilment is not None:
        reader.cross_check_fulfilment(partners, fulfilment)
    if reader.mistakes or fulfilment is None:
        raise PolicyError(reader.mistakes)
    return Policy(
        partners=partners, bookings=bookings, fulfilment=fulfilment, expectations=expectations
    )


class _Reader:
    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self.mistakes: list[str] = []
        if not folder.is_dir():
            self.mistakes.append(f"{folder}: no such folder; set SYNCWORKERS_CONFIG")

    def read(self, name: str, *, required: bool = True) -> Table:
        path = self._folder / name
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if required and self._folder.is_dir():
                self.mistakes.append(f"{name}: missing; the repository's config/ has an example")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.mistakes.append(f"{name}: not TOML: {error}")
        return {}

    def partners(self, overlay: Table) -> dict[str, PartnerPolicy]:
        found: dict[str, PartnerPolicy] = {}
        for path in sorted(self._folder.glob("partners/*.toml")):
            name, file = path.stem, f"partners/{path.name}"
            table = _merged(self.read(file), overlay.pop(name, {}))
            table["connection"], missing = resolve(table.get("connection", {}), self._env)
            self.mistakes += [f"{file}: connection.{one}" for one in missing]
            loaded = self._load(schemas.PartnerSchema(), {**table, "name": name}, file)
            if loaded is not None:
                found[name] = loaded
        self.mistakes += [
            f"environments: partners.{name}: there is no partners/{name}.toml" for name in overlay
        ]
        return found

    def bookings(self, overlay: Table) -> dict[str, BookingPolicy]:
        found: dict[str, BookingPolicy] = {}
        for store, table in _merged(self.read("booking.toml"), overlay).items():
            if not isinstance(table, dict):
                self.mistakes.append(f"booking.toml: {store}: must be a table named like a store")
                continue
            where = f"booking.toml: [{store}]"
            loaded = self._load(schemas.BookingSchema(), {**table, "store": store}, where)
            if loaded is not None:
                found[store] = loaded
        return found

    def fulfilment(self, overlay: Table) -> FulfilmentPolicy | None:
        table = _merged(self.read("fulfilment.toml"), overlay)
        loaded: FulfilmentPolicy | None = self._load(
            schemas.FulfilmentSchema(), table, "fulfilment.toml"
        )
        return loaded

    def expectations(self, overlay: Table) -> dict[str, float]:
        table = _merged(self.read("sla.toml"), overlay)
        return self._load(schemas.ExpectationsSchema(), table, "sla.toml") or {}

    def refuse_unknown(self, overlay: Table, environment: str) -> None:
        for key in overlay:
            hint = _meant(key, ["partners", "booking", "fulfilment", "sla"])
            self.mistakes.append(f"environments/{environment}.toml: {key}: unknown table{hint}")

    def cross_check(
        self, partners: Mapping[str, PartnerPolicy], bookings: Mapping[str, BookingPolicy]
    ) -> None:
        """Say where the files do not agree with each other."""
        names = {path.stem for path in self._folder.glob("partners/*.toml")}
        for store, booking in bookings.items():
            for key, wanted in (("table name", store), ("erp", booking.erp)):
                if wanted not in names:
                    hint = _meant(wanted, sorted(names))
                    self.mistakes.append(
                        f"booking.toml: [{store}] {key}: no partners/{wanted}.toml{hint}"
                    )
        for name, partner in partners.items():
            if partner.role == "store" and name not in bookings:
                self.mistakes.append(f"booking.toml: [{name}] missing: how are its orders booked?")

    def cross_check_fulfilment(
        self, partners: Mapping[str, PartnerPolicy], fulfilment: FulfilmentPolicy
    ) -> None:
        """Say where fulfilment.toml and the partners do not agree."""
        roles = {name: partner.role for name, partner in partners.items()}
        for name in sorted(fulfilment.stores.keys() | fulfilment.warehouses.keys()):
            wanted = "store" if name in fulfilment.stores else "warehouse"
            if partners and roles.get(name) != wanted:
                hint = _meant(name, sorted(roles))
                self.mistakes.append(f"fulfilment.toml: {name}: no {wanted} of that name{hint}")
        for name, store in fulfilment.stores.items():
            if store.warehouse not in fulfilment.warehouses:
                hint = _meant(store.warehouse, sorted(fulfilment.warehouses))
                self.mistakes.append(
                    f"fulfilment.toml: stores.{name}.warehouse: there is no table"
                    f" [warehouses.{store.warehouse}]{hint}"
                )
        self.mistakes += [
            f"fulfilment.toml: [stores.{name}] missing: who ships its orders?"
            for name, role in roles.items()
            if role == "store" and name not in fulfilment.stores
        ]

    def _load(self, schema: Schema, table: Table, where: str) -> Any:
        try:
            return schema.load(table)
        except ValidationError as error:
            known = [field.data_key or name for name, field in schema.fields.items()]
            for path, message in _flat(error.messages):
                hint = _meant(path.split(".")[0], known) if "Unknown" in message else ""
                self.mistakes.append(f"{where}: {path}: {message}{hint}")
            return None


def _merged(base: Table, overlay: Mapping[str, Any]) -> Table:
    merged = dict(base)
    for key, value in overlay.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, value in messages.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    else:
        for message in messages:
            yield path, str(message)


def _meant(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
