"""Run the simulated EDI warehouse: `python -m syncworkers.sandbox.edi_warehouse --port N ...`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.app import Warehouse, host_key
from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
from syncworkers.sandbox.edi_warehouse.floor import Habits
from syncworkers.sandbox.edi_warehouse.outbox import Route
from syncworkers.sandbox.serving import arguments, serve

if TYPE_CHECKING:
    import argparse


def main() -> None:
    """Serve until told to stop."""
    given = _arguments().parse_args()
    warehouse = Warehouse(
        FilePlan(level=given.faults, seed=given.seed),
        Route(sender=given.sender, receiver=given.receiver, usage=given.usage),
        user=given.user,
        public_key=" ".join(given.public_key.split()[:2]),
        host_key=host_key(given.host_key),
        sftp_port=given.sftp_port,
        habits=Habits(
            seed=given.seed,
            pace=given.pace,
            partial_share=given.partial_share,
            short_share=given.short_share,
            substitute_share=given.substitute_share,
        ),
        snapshot_every=given.snapshot_every,
    )
    sys.stdout.write(
        f"EDI warehouse on sftp://{given.user}@127.0.0.1:{warehouse.server.port}, control on"
        f" http://127.0.0.1:{given.port}: {given.sender} to {given.receiver}, usage {given.usage},"
        f" faults {given.faults}, seed {given.seed}\n"
    )
    sys.stdout.flush()
    serve(warehouse.program, given.port, closing=warehouse.close)


def _arguments() -> argparse.ArgumentParser:
    parser = arguments("A simulated warehouse that speaks X12 over SFTP.")
    parser.add_argument("--sftp-port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--public-key", required=True, help="the user's, as in ssh-ed25519 AAAA...")
    parser.add_argument("--host-key", required=True, help="64 hex digits, an Ed25519 seed")
    parser.add_argument("--sender", required=True, help="the warehouse's own id, ISA06")
    parser.add_argument("--receiver", required=True, help="its customer's id, ISA08")
    parser.add_argument("--usage", choices=("P", "T"), default="T")
    parser.add_argument("--pace", type=float, default=1.0, help="scales the seconds work takes")
    parser.add_argument("--partial-share", type=float, default=0.25)
    parser.add_argument("--short-share", type=float, default=0.0)
    parser.add_argument("--substitute-share", type=float, default=0.0)
    parser.add_argument(
        "--snapshot-every", type=float, default=10.0, help="seconds between counts of stock"
    )
    return parser


if __name__ == "__main__":
    main()
