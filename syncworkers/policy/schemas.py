"""What the configuration files may say."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from syncworkers.canonical.orders import AdjustmentKind
from syncworkers.policy.booking import CREATE, LINK, ONE_TIME, BookingPolicy
from syncworkers.policy.fulfilment import (
    AFTER_BOOKING,
    AFTER_VALIDATION,
    FulfilmentPolicy,
    NodeKind,
    StorePolicy,
    WarehousePolicy,
)
from syncworkers.policy.partners import BudgetPolicy, LanePolicy, PartnerPolicy, PollPolicy

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


class Duration(fields.Field[float]):
    """Seconds, as a number or as `30s`, `15m`, `2h`, `1d`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is not None:
            return float(match[1]) * UNITS[match[2]]
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            message = "must be seconds, or a text like 30s, 15m, 2h"
            raise ValidationError(message)
        return float(value)


class ConfigSchema(Schema):
    """A table of a configuration file: unknown keys are mistakes."""

    class Meta:
        """Strict."""

        unknown = RAISE


class Currency(fields.String):
    """An ISO 4217 code, as `USD`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[A-Z]{3}\Z"), **kwargs)


def _texts() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(min=1)),
        load_default=dict,
    )


class LaneSchema(ConfigSchema):
    """`[lane]` of a partner."""

    slots = fields.Integer(validate=validate.Range(1, 1000))
    batch = fields.Integer(validate=validate.Range(1, 1000))
    gather_ms = fields.Integer(validate=validate.Range(0, 60_000))
    work_budget = Duration()
    call_deadline = Duration()
    settle = Duration()
    recheck = Duration()
    max_attempts = fields.Integer(validate=validate.Range(1, 1000))
    backoff_first = Duration()
    backoff_limit = Duration()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> LanePolicy:
        return LanePolicy(**data)


class PollSchema(ConfigSchema):
    """`[poll]` of a partner."""

    every = Duration()
    overlap = Duration()
    horizon = Duration()
    track = Duration(validate=validate.Range(min=1))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> PollPolicy:
        return PollPolicy(**data)


class BudgetSchema(ConfigSchema):
    """`[budget]` of a partner."""

    burst = fields.Float(required=True, validate=validate.Range(min=1))
    per_second = fields.Float(required=True, validate=validate.Range(min=0.01))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> BudgetPolicy:
        return BudgetPolicy(**data)


class PartnerSchema(ConfigSchema):
    """`config/partners/<name>.toml`."""

    name = fields.String(required=True)
    connector = fields.String(required=True, validate=validate.Length(min=1))
    role = fields.String(required=True, validate=validate.OneOf(["store", "erp", "warehouse"]))
    brand = fields.String(load_default="")
    connection = fields.Dict(keys=fields.String(), required=True)
    budget = fields.Nested(BudgetSchema)
    lane = fields.Nested(LaneSchema, load_default=LanePolicy)
    poll = fields.Nested(PollSchema, load_default=None)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> PartnerPolicy:
        return PartnerPolicy(**data)


class BookingSchema(ConfigSchema):
    """One store's table of `config/booking.toml`."""

    store = fields.String(required=True)
    erp = fields.String(required=True)
    company = fields.String(required=True, validate=validate.Length(min=1, max=4))
    order_prefix = fields.String(required=True, validate=validate.Length(max=6))
    language = fields.String(required=True)
    customers = fields.String(required=True, validate=validate.OneOf([LINK, CREATE, ONE_TIME]))
    customer_prefix = fields.String(load_default="", validate=validate.Length(max=6))
    customer_group = fields.String(load_default="")
    one_time_customer = fields.String(load_default=None)
    gift_card_item = fields.String(load_default=None)
    currencies = fields.List(Currency(), load_default=list)
    accept_test_orders = fields.Boolean(load_default=False)
    items = _texts()
    warehouses = _texts()
    delivery_modes = _texts()
    payment_methods = _texts()
    charges = fields.Dict(
        keys=fields.Enum(AdjustmentKind, by_value=True),
        values=fields.String(validate=validate.Length(min=1)),
        load_default=dict,
    )

    @validates_schema
    def _customers(self, data: dict[str, Any], **_: Any) -> None:
        if data["customers"] == ONE_TIME and not data["one_time_customer"]:
            raise ValidationError(f'must be set with customers = "{ONE_TIME}"', "one_time_customer")
        for key in ("customer_prefix", "customer_group"):
            if data["customers"] == CREATE and not data[key]:
                raise ValidationError(f'must be set with customers = "{CREATE}"', key)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> BookingPolicy:
        return BookingPolicy(**data | {"currencies": frozenset(data["currencies"])})


class StoreSchema(ConfigSchema):
    """`[stores.<name>]` of `config/fulfilment.toml`."""

    warehouse = fields.String(required=True)
    release_after = fields.String(
        required=True, validate=validate.OneOf([AFTER_BOOKING, AFTER_VALIDATION])
    )
    release_limit = fields.Dict(
        keys=Currency(),
        values=fields.Decimal(validate=validate.Range(min=0)),
        load_default=dict,
    )
    notify_customer = fields.Boolean(required=True)
    invoice_url = fields.String(load_default="")
    brands = _texts()

    @validates_schema
    def _url(self, data: dict[str, Any], **_: Any) -> None:
        try:
            data["invoice_url"].format(company="", number="")
        except (KeyError, IndexError, ValueError):
            known = "only {company} and {number} may stand in braces"
            raise ValidationError(known, "invoice_url") from None

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> StorePolicy:
        return StorePolicy(**data)


class WarehouseSchema(ConfigSchema):
    """`[warehouses.<name>]` of `config/fulfilment.toml`."""

    shipping_methods = _texts()
    items = _texts()
    kind = fields.Enum(NodeKind, by_value=True)
    company = fields.String(validate=validate.Length(min=1, max=4))
    erp_warehouse = fields.String(validate=validate.Length(min=1))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> WarehousePolicy:
        return WarehousePolicy(**data)


class FulfilmentSchema(ConfigSchema):
    """`config/fulfilment.toml`."""

    stores = fields.Dict(keys=fields.String(), values=fields.Nested(StoreSchema), load_default=dict)
    warehouses = fields.Dict(
        keys=fields.String(), values=fields.Nested(WarehouseSchema), load_default=dict
    )
    carriers = _texts()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> FulfilmentPolicy:
        return FulfilmentPolicy(**data)


class ExpectationsSchema(ConfigSchema):
    """`config/sla.toml`: how soon each hand-over must follow."""

    erp_booked = Duration(required=True)
    released = Duration(required=True)
    acknowledged = Duration(required=True)
    shipped = Duration(required=True)
    store_told = Duration(required=True)
    invoiced = Duration(required=True)
    parent_known = Duration(required=True)
