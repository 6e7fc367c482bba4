"""Run the simulated warehouse: `python -m syncworkers.sandbox.shipbob --port N --token T`."""

from __future__ import annotations

import sys

from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.serving import arguments, serve
from syncworkers.sandbox.shipbob.app import build


def main() -> None:
    """Serve until told to stop."""
    parser = arguments("A simulated ShipBob warehouse.")
    parser.add_argument("--token", required=True)
    parser.add_argument("--channel-id", type=int, required=True)
    parser.add_argument("--pace", type=float, default=1.0, help="scales the seconds work takes")
    given = parser.parse_args()
    warehouse = build(
        FaultPlan(level=given.faults, seed=given.seed),
        token=given.token,
        channel_id=given.channel_id,
        seed=given.seed,
        speed=given.speed,
        caller_deadline=given.caller_deadline,
        pace=given.pace,
    )
    limit = warehouse.limit
    sys.stdout.write(
        f"ShipBob on http://127.0.0.1:{given.port}: channel {given.channel_id}, {limit.calls} calls"
        f" in {limit.window:g} s, faults {given.faults}, seed {given.seed}\n"
    )
    sys.stdout.flush()
    serve(warehouse.program, given.port)


if __name__ == "__main__":
    main()
