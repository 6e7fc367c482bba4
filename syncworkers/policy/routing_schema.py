"""What `config/routing.toml` may say."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from syncworkers.policy.fulfilment import NodeKind
from syncworkers.policy.routing import CutOff, PostcodeRange, RoutingPolicy, RoutingRule, Split
from syncworkers.policy.schemas import ConfigSchema, Currency

_POSTCODES = re.compile(r"([A-Z0-9]+)(?:-([A-Z0-9]+))?")


class Postcodes(fields.Field[PostcodeRange]):
    """`9` for all that begin with it, or `80000-96199`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> PostcodeRange:
        match = _POSTCODES.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            message = "must be the beginning of a postcode, as 9, or a range, as 80000-96199"
            raise ValidationError(message)
        first, last = match[1], match[2] or match[1]
        if last < first:
            message = f"{last} comes before {first}"
            raise ValidationError(message)
        return PostcodeRange(first=first, last=last)


class TimeOfDay(fields.Field[CutOff]):
    """A time and its zone, as `14:00 America/Los_Angeles`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> CutOff:
        time, _, zone = value.partition(" ") if isinstance(value, str) else ("", "", "")
        try:
            return CutOff(time=dt.time.fromisoformat(time), zone=ZoneInfo(zone))
        except (ValueError, ZoneInfoNotFoundError):
            message = "must be a time and its zone, as 14:00 America/Los_Angeles"
            raise ValidationError(message) from None


class RuleSchema(ConfigSchema):
    """`[[rules]]`."""

    nodes = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    stores = fields.List(fields.String())
    brands = fields.List(fields.String())
    countries = fields.List(fields.String(validate=validate.Regexp(r"[A-Z]{2}\Z")))
    postcodes = fields.List(Postcodes())
    currencies = fields.List(Currency())
    sku_classes = fields.List(fields.String())
    node_kinds = fields.List(fields.Enum(NodeKind, by_value=True))
    before = TimeOfDay()
    split = fields.Enum(Split, by_value=True)


class RoutingSchema(ConfigSchema):
    """`config/routing.toml`."""

    rules = fields.List(fields.Nested(RuleSchema), load_default=list)
    sku_classes = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), load_default=dict
    )

    @validates_schema
    def _classes(self, data: dict[str, Any], **_: Any) -> None:
        for place, rule in enumerate(data["rules"]):
            for name in rule.get("sku_classes", ()):
                if name not in data["sku_classes"]:
                    message = f"there is no class {name} in [sku_classes]"
                    raise ValidationError({"rules": {place: {"sku_classes": [message]}}})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> RoutingPolicy:
        return RoutingPolicy(
            rules=tuple(
                RoutingRule(number=number, **{key: _frozen(key, one) for key, one in rule.items()})
                for number, rule in enumerate(data["rules"], start=1)
            ),
            sku_classes={name: frozenset(skus) for name, skus in data["sku_classes"].items()},
        )


def _frozen(key: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(value) if key in {"nodes", "postcodes"} else frozenset(value)
