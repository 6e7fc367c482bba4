"""Pass the tests on Debian's servers: `python -m tests.debian [pytest arguments]`.

Without arguments one file of tests for each way of ours to speak to Postgres and Redis.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.debian import servers

ARGUMENTS = ("-n", "4", "--dist", "loadfile")
TESTS = (
    "test_celery.py",
    "test_gateway.py",
    "test_order_flow.py",
)


def main() -> int:
    """Run the integration tests; without the packages say which are missing, and pass."""
    missing = servers.missing()
    if missing:
        sys.stdout.write(f"skipped: Debian packages not installed: {', '.join(missing)}\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="syncworkers-debian-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.running(folder) as addresses:
            chosen = sys.argv[1:] or [*ARGUMENTS, *(f"tests/integration/{one}" for one in TESTS)]
            command = [sys.executable, "-m", "pytest", "-q", *chosen]
            return subprocess.run(command, env={**os.environ, **addresses}, check=False).returncode


sys.exit(main())
