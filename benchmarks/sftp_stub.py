"""The SFTP server of the legacy warehouse alone, in a process of its own."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from syncworkers.sandbox.edi_warehouse.app import host_key
from syncworkers.sandbox.edi_warehouse.sftp_server import SftpServer
from syncworkers.supervisor.simulators import SIMULATORS

HARBOR = "harbor-east"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--port", type=int, required=True)
def serve(folder: Path, port: int) -> None:
    """Serve a folder until we are ended."""
    simulated = next(one for one in SIMULATORS if one.partner == HARBOR)
    SftpServer(
        folder,
        user=simulated.secrets["USER"],
        public_key=simulated.keys["public_key"],
        host_key=host_key(simulated.keys["host_seed"]),
        port=port,
    )
    threading.Event().wait()


if __name__ == "__main__":
    serve()
