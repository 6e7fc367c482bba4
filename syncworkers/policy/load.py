"""Read config/*.toml into the policy: every mistake at once, each with its file, key and remedy."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError

from syncworkers.policy import schemas
from syncworkers.policy.agreement import disagreements, meant
from syncworkers.policy.calendars_schema import CalendarSchema
from syncworkers.policy.policy import Policy
from syncworkers.policy.routing_schema import RoutingSchema
from syncworkers.policy.secrets import resolve
from syncworkers.policy.units_schema import UnitsSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.calendars import Calendar
    from syncworkers.policy.fulfilment import FulfilmentPolicy
    from syncworkers.policy.partners import PartnerPolicy
    from syncworkers.policy.routing import RoutingPolicy
    from syncworkers.policy.units import UnitsPolicy

Table = dict[str, Any]
OVERLAID = ("partners", "booking", "fulfilment", "sla", "routing", "calendars", "units")
"""What an environment may change."""


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
    routing = reader.routing(overlay.pop("routing", {}))
    calendars = reader.calendars(overlay.pop("calendars", {}))
    units = reader.units(overlay.pop("units", {}))
    reader.refuse_unknown(overlay, environment)
    if fulfilment is None or routing is None or units is None:
        raise PolicyError(reader.mistakes)
    policy = Policy(
        partners=partners,
        bookings=bookings,
        fulfilment=fulfilment,
        expectations=expectations,
        routing=routing,
        calendars=calendars,
        units=units,
    )
    mistakes = [*reader.mistakes, *disagreements(policy, reader.partner_names)]
    if mistakes:
        raise PolicyError(mistakes)
    return policy


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
            if not isinstance(table, dict) or not isinstance(table.get("companies", {}), dict):
                self.mistakes.append(f"booking.toml: {store}: must be a table named like a store")
                continue
            loaded = self._booking(store, dict(table))
            if loaded is not None:
                found[store] = loaded
        return found

    def _booking(self, store: str, table: Table) -> BookingPolicy | None:
        """Read a store's table, and each other company's on top of it."""
        others: dict[str, BookingPolicy] = {}
        for company, changed in table.pop("companies", {}).items():
            where = f"booking.toml: [{store}.companies.{company}]"
            if "company" in changed or company == table.get("company"):
                self.mistakes.append(f"{where}: its name is another company than the store's own")
            whole = {**_merged(table, changed), "company": company, "store": store}
            loaded = self._load(schemas.BookingSchema(), whole, where)
            if loaded is not None:
                others[company] = loaded
        where = f"booking.toml: [{store}]"
        own: BookingPolicy | None
        own = self._load(schemas.BookingSchema(), {**table, "store": store}, where)
        return None if own is None else replace(own, others=others)

    def fulfilment(self, overlay: Table) -> FulfilmentPolicy | None:
        table = _merged(self.read("fulfilment.toml"), overlay)
        loaded: FulfilmentPolicy | None = self._load(
            schemas.FulfilmentSchema(), table, "fulfilment.toml"
        )
        return loaded

    def expectations(self, overlay: Table) -> dict[str, float]:
        table = _merged(self.read("sla.toml"), overlay)
        return self._load(schemas.ExpectationsSchema(), table, "sla.toml") or {}

    def routing(self, overlay: Table) -> RoutingPolicy | None:
        table = _merged(self.read("routing.toml", required=False), overlay)
        loaded: RoutingPolicy | None = self._load(RoutingSchema(), table, "routing.toml")
        return loaded

    def calendars(self, overlay: Table) -> dict[str, Calendar]:
        found: dict[str, Calendar] = {}
        for name, table in _merged(self.read("calendars.toml", required=False), overlay).items():
            if not isinstance(table, dict):
                self.mistakes.append(
                    f"calendars.toml: {name}: must be a table named like a warehouse"
                )
                continue
            loaded = self._load(CalendarSchema(), table, f"calendars.toml: [{name}]")
            if loaded is not None:
                found[name] = loaded
        return found

    def units(self, overlay: Table) -> UnitsPolicy | None:
        table = _merged(self.read("units.toml", required=False), overlay)
        loaded: UnitsPolicy | None = self._load(UnitsSchema(), table, "units.toml")
        return loaded

    @property
    def partner_names(self) -> list[str]:
        """Return who has a file, right or wrong."""
        return sorted(path.stem for path in self._folder.glob("partners/*.toml"))

    def refuse_unknown(self, overlay: Table, environment: str) -> None:
        for key in overlay:
            hint = meant(key, OVERLAID)
            self.mistakes.append(f"environments/{environment}.toml: {key}: unknown table{hint}")

    def _load(self, schema: Schema, table: Table, where: str) -> Any:
        try:
            return schema.load(table)
        except ValidationError as error:
            known = [field.data_key or name for name, field in schema.fields.items()]
            for path, message in _flat(error.messages):
                hint = meant(path.split(".")[0], known) if "Unknown" in message else ""
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
