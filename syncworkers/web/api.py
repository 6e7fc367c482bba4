"""The API, described by its own schemas in `/api/openapi.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_smorest import Api, Blueprint  # type: ignore[import-untyped]
from marshmallow import Schema, fields

from syncworkers.web import pulse

if TYPE_CHECKING:
    from flask import Flask

    from syncworkers.flows.fleet import Fleet


class LaneStatus(Schema):
    """One lane: its open work and whether it moves."""

    name = fields.String(required=True)
    rows = fields.Integer(required=True, metadata={"description": "Open rows"})
    lines = fields.Integer(required=True, metadata={"description": "Entities with open work"})
    leased = fields.Integer(required=True, metadata={"description": "Entities being worked on"})
    blocked = fields.Integer(
        required=True, metadata={"description": "Entities that wait for an exception case"}
    )
    oldest_due_seconds = fields.Float(
        required=True, metadata={"description": "Age of the oldest row that is due and not taken"}
    )
    paused = fields.Boolean(required=True)


class GateStatus(Schema):
    """Order parts that wait before their warehouse gets them."""

    warehouse = fields.String(required=True)
    gate = fields.String(required=True, metadata={"description": "What they wait for"})
    parts = fields.Integer(required=True)
    oldest = fields.AwareDateTime(required=True)


class Status(Schema):
    """The fleet at this moment."""

    at = fields.AwareDateTime(required=True)
    open_cases = fields.Integer(required=True)
    parked = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "Rows waiting for something absent, by table"},
    )
    lanes = fields.List(fields.Nested(LaneStatus), required=True)
    gates = fields.List(fields.Nested(GateStatus), required=True)


def install(app: Flask, fleet: Fleet) -> None:
    """Add the API to the application."""
    app.config.update(
        API_TITLE="syncworkers",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    routes = Blueprint("fleet", __name__, url_prefix="/api/v1", description="The fleet")

    @routes.get("/status")  # type: ignore[untyped-decorator]
    @routes.response(200, Status)  # type: ignore[untyped-decorator]
    def status() -> dict[str, Any]:
        """Show lanes, open cases and parked rows."""
        return _status(pulse.read(fleet))

    Api(app).register_blueprint(routes)


def _status(reading: pulse.Pulse) -> dict[str, Any]:
    return {
        "at": reading.now,
        "open_cases": reading.open_cases,
        "parked": reading.parked,
        "lanes": [
            {
                "name": lane.name,
                "rows": lane.rows,
                "lines": lane.lines,
                "leased": lane.leased,
                "blocked": lane.blocked,
                "oldest_due_seconds": reading.overdue(lane),
                "paused": lane.paused_reason is not None,
            }
            for lane in reading.lanes
        ],
        "gates": [
            {
                "warehouse": one["partner"],
                "gate": one["gate"],
                "parts": one["parts"],
                "oldest": one["oldest"],
            }
            for one in reading.gates
        ],
    }
