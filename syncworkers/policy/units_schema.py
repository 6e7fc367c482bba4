"""What `config/units.toml` may say."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from syncworkers.policy.calendars_schema import Day
from syncworkers.policy.schemas import ConfigSchema
from syncworkers.policy.units import EACH, Component, Conversion, Kit, UnitsPolicy, reached

if TYPE_CHECKING:
    from collections.abc import Iterator


class Exact(fields.Field[Fraction]):
    """A number above zero, exactly: `12`, `"0.25"` or `"1/3"`.

    A TOML float is refused: 0.1 is not a tenth there.
    """

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Fraction:
        try:
            found = None if isinstance(value, bool | float) else Fraction(value)
        except (ValueError, TypeError, ZeroDivisionError):
            found = None
        if found is None or found <= 0:
            message = 'must be above zero and exact: 12, "0.25" or "1/3"'
            raise ValidationError(message)
        return found


class Name(fields.String):
    """A name that is not empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Length(min=1), **options)


class ConversionSchema(ConfigSchema):
    """`[[conversions]]`."""

    unit = Name(data_key="from", required=True)
    into = Name(data_key="to", required=True)
    factor = Exact(required=True)
    since = Day(required=True)
    sku = Name()
    partner = Name()

    @validates_schema
    def _two_units(self, data: dict[str, Any], **_: Any) -> None:
        if data["unit"] == data["into"]:
            message = "must be another unit than from"
            raise ValidationError(message, "to")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Conversion:
        return Conversion(**data)


class ComponentSchema(ConfigSchema):
    """One of `components` of `[[kits]]`."""

    sku = Name(required=True)
    quantity = Exact(required=True)
    unit = Name(load_default=EACH)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Component:
        return Component(**data)


class KitSchema(ConfigSchema):
    """`[[kits]]`."""

    sku = Name(required=True)
    since = Day(required=True)
    components = fields.List(
        fields.Nested(ComponentSchema), required=True, validate=validate.Length(min=1)
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Kit:
        return Kit(**{**data, "components": tuple(data["components"])})


class UnitsSchema(ConfigSchema):
    """The whole of `config/units.toml`."""

    divisible = fields.List(Name(), load_default=list)
    sold = fields.Dict(keys=Name(), values=Name())
    kept = fields.Dict(keys=Name(), values=fields.Dict(keys=Name(), values=Name()))
    symbols = fields.Dict(
        keys=Name(),
        values=fields.Dict(keys=Name(), values=fields.String(validate=validate.Length(1, 10))),
    )
    conversions = fields.List(fields.Nested(ConversionSchema), load_default=list)
    kits = fields.List(fields.Nested(KitSchema), load_default=list)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> UnitsPolicy:
        policy = UnitsPolicy(
            divisible=frozenset(data.pop("divisible")),
            conversions=tuple(data.pop("conversions")),
            kits=tuple(data.pop("kits")),
            **data,
        )
        mistakes = {
            "conversions": [*_twice(policy), *_contradictions(policy)],
            "kits": list(_wrong_kits(policy)),
        }
        found: dict[str, Any] = {name: told for name, told in mistakes.items() if told}
        if found:
            raise ValidationError(found)
        return policy


def _twice(policy: UnitsPolicy) -> Iterator[str]:
    """A pair of units may have one factor only, of one SKU at one warehouse from one day on."""
    said = Counter((one.sku, one.partner, one.pair, one.since) for one in policy.conversions)
    for (sku, _, pair, since), times in said.items():
        if times > 1:
            yield f"{_named(sku)}{' and '.join(sorted(pair))} since {since} stand {times} times"


def _contradictions(policy: UnitsPolicy) -> Iterator[str]:
    """Two ways from one unit to another must come to the same, on every day."""
    about = {(one.sku, one.partner) for one in policy.conversions}
    skus, partners = {sku for sku, _ in about}, {partner for _, partner in about}
    told: set[tuple[str | None, frozenset[str]]] = set()
    cases = (
        (sku, partner, one.since)
        for sku in skus
        for partner in partners
        for one in policy.conversions
    )
    for sku, partner, day in cases:
        in_force = policy.in_force(sku, partner, day)
        for pair, one in in_force.items():
            others = [other for other in in_force.values() if other is not one]
            around = reached(one.unit, others).get(one.into, one.factor)
            if around != one.factor and (sku, pair) not in told:
                told.add((sku, pair))
                yield (
                    f"{_named(sku)}one {one.unit} is {one.factor} {one.into} on {day}, and "
                    f"{around} over other units: correct one of them"
                )


def _wrong_kits(policy: UnitsPolicy) -> Iterator[str]:
    kits = Counter((kit.sku, kit.since) for kit in policy.kits)
    yield from (
        f"{sku} since {since} stands {times} times"
        for (sku, since), times in kits.items()
        if times > 1
    )
    for kit in policy.kits:
        yield from (f"{kit.sku}: {what}" for what in _wrong_components(policy, kit))


def _wrong_components(policy: UnitsPolicy, kit: Kit) -> Iterator[str]:
    for one in kit.components:
        if policy.is_kit(one.sku):
            yield f"{one.sku} is a kit itself: write down what that is made of"
        if one.unit not in policy.divisible and one.quantity.denominator != 1:
            yield (
                f"{one.quantity} {one.unit} of {one.sku}: name {one.unit} in divisible, or count "
                "it by a smaller unit"
            )
    for sku, times in Counter(one.sku for one in kit.components).items():
        if times > 1:
            yield f"{sku} stands {times} times among its components"


def _named(sku: str | None) -> str:
    return "" if sku is None else f"{sku}: "
