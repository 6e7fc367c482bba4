"""Run the simulated instance: `python -m syncworkers.sandbox.adobe_commerce --port N`."""

from __future__ import annotations

import sys

from syncworkers.sandbox.adobe_commerce.app import build
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.serving import arguments, serve

SECRETS = (
    "consumer-key",
    "consumer-secret",
    "access-token",
    "access-token-secret",
    "client-id",
    "client-secret",
)


def main() -> None:
    """Serve until told to stop."""
    parser = arguments("A simulated Adobe Commerce instance.")
    parser.add_argument("--event-url", default="", help="where its events go")
    for name in SECRETS:
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    secrets = {name.replace("-", "_"): getattr(given, name.replace("-", "_")) for name in SECRETS}
    instance = build(
        FaultPlan(level=given.faults, seed=given.seed),
        event_url=given.event_url,
        seed=given.seed,
        caller_deadline=given.caller_deadline,
        **secrets,
    )
    sys.stdout.write(
        f"Adobe Commerce on http://127.0.0.1:{given.port}: faults {given.faults}, "
        f"seed {given.seed}\n"
    )
    sys.stdout.flush()
    serve(instance.program, given.port)


if __name__ == "__main__":
    main()
