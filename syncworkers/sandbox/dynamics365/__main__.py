"""Run the simulated environment: `python -m syncworkers.sandbox.dynamics365 --port N`."""

from __future__ import annotations

import sys

from syncworkers.sandbox.dynamics365.app import build
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.serving import arguments, serve


def main() -> None:
    """Serve until told to stop."""
    parser = arguments("A simulated Dynamics 365 Finance and Supply Chain Management.")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--event-url", default="", help="where business events go")
    parser.add_argument("--company", action="append", default=[], help="a legal entity it has")
    parser.add_argument("--pace", type=float, default=1.0, help="scales the partner's waits")
    given = parser.parse_args()
    environment = build(
        FaultPlan(level=given.faults, seed=given.seed, calls=6),
        client_id=given.client_id,
        client_secret=given.client_secret,
        speed=given.speed,
        caller_deadline=given.caller_deadline,
        companies=tuple(given.company) or ("usmf",),
        event_url=given.event_url,
        seed=given.seed,
        pace=given.pace,
    )
    limit = environment.limit
    sys.stdout.write(
        f"Dynamics 365 on http://127.0.0.1:{given.port}: {limit.requests} requests in"
        f" {limit.window:g} s, faults {given.faults}, seed {given.seed}\n"
    )
    sys.stdout.flush()
    serve(environment.program, given.port)


if __name__ == "__main__":
    main()
