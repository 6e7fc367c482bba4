"""What `config/calendars.toml` may say of one warehouse."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import ValidationError, fields, post_load, validate

from syncworkers.policy.calendars import Calendar, Release
from syncworkers.policy.schemas import ConfigSchema

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Zone(fields.Field[ZoneInfo]):
    """A time zone of the IANA database."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            message = "must be a time zone, as America/Los_Angeles"
            raise ValidationError(message) from None


class Clock(fields.Field[dt.time]):
    """A time of day, as `14:00`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dt.time:
        try:
            found = value if isinstance(value, dt.time) else dt.time.fromisoformat(value)
        except (ValueError, TypeError):
            found = None
        if found is None or found.tzinfo is not None:
            message = "must be a time of day, as 14:00"
            raise ValidationError(message)
        return found


class Day(fields.Field[dt.date]):
    """A day, as `2026-12-25`, in quotes or not."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dt.date:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        try:
            return dt.date.fromisoformat(value)
        except (ValueError, TypeError):
            message = "must be a day, as 2026-12-25"
            raise ValidationError(message) from None


class CalendarSchema(ConfigSchema):
    """`[<warehouse>]`."""

    time_zone = Zone(required=True)
    working_days = fields.List(
        fields.String(validate=validate.OneOf(DAYS)),
        required=True,
        validate=validate.Length(min=1),
    )
    opens = Clock()
    release = fields.Enum(Release, by_value=True)
    holidays = fields.List(Day(), load_default=list)
    blackout_days = fields.List(Day(), load_default=list)
    cut_offs = fields.Dict(keys=fields.String(), values=Clock())
    transit_days = fields.Dict(
        keys=fields.String(), values=fields.Integer(strict=True, validate=validate.Range(0, 90))
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Calendar:
        return Calendar(
            zone=data.pop("time_zone"),
            working_days=frozenset(DAYS.index(day) for day in data.pop("working_days")),
            holidays=frozenset(data.pop("holidays")),
            blackout_days=frozenset(data.pop("blackout_days")),
            **data,
        )
