"""Collect: one look at the partner's folder, and every whole file handed over."""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syncworkers.connectors.edi_sftp import pickup
from syncworkers.connectors.edi_sftp.session import is_alive, opened
from syncworkers.connectors.files import Collected
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import PurePosixPath

    import paramiko

    from syncworkers.connectors.base import Deadline
    from syncworkers.connectors.edi_sftp.settings import Settings
    from syncworkers.connectors.files import Seen


def collect(
    settings: Settings,
    unchanged: Mapping[Seen, float],
    keep: Callable[[Collected], bool],
    unable: Callable[[str, str], None],
    deadline: Deadline,
) -> list[Seen]:
    """Hand over each whole file; return what is there and not taken yet, as it looks now.

    `unchanged` says for how many seconds files have looked as they do. What was claimed before, by
    somebody who is gone, comes first. `keep` returns False for a file whose end is missing: it is
    put back, and looked at again. `unable` is told of a file that cannot be taken, and why; the
    others are. Raises the errors of `session.opened`, and what `keep` raises.
    """
    with opened(settings, deadline) as sftp:
        for one in pickup.left_behind(sftp, settings):
            if deadline.passed():
                break
            path = settings.pickup / pickup.CLAIMED / one.name
            with _apart(sftp, one, unable):
                _take(sftp, settings, path, one, keep)
        listed = pickup.listing(sftp, settings.pickup)
        taken = set()
        for one in pickup.ready(settings, listed, unchanged):
            if deadline.passed():
                break
            with _apart(sftp, one, unable):
                claimed = pickup.claim(sftp, settings, one.name)
                if claimed is None or _take(sftp, settings, claimed, one, keep):
                    taken.add(one.name)
    marks = settings.done_marker
    return [
        one for one in listed if one.name not in taken and not (marks and one.name.endswith(marks))
    ]


@contextmanager
def _apart(
    sftp: paramiko.SFTPClient, one: Seen, unable: Callable[[str, str], None]
) -> Iterator[None]:
    """Keep the others from what is wrong with one file.

    A connection that is gone or silent is no file's fault: waiting for each would take for ever.
    """
    try:
        yield
    except (OSError, RetryableError) as error:
        if isinstance(error, TimeoutError) or not is_alive(sftp):
            raise
        unable(one.name, str(error) or type(error).__name__)


def _take(
    sftp: paramiko.SFTPClient,
    settings: Settings,
    path: PurePosixPath,
    listed: Seen,
    keep: Callable[[Collected], bool],
) -> bool:
    """Have a claimed file kept, then archive it; False: it was put back."""
    body = pickup.read(sftp, path, listed.size)
    digest = hashlib.sha256(body).hexdigest()
    file = Collected(name=path.name, digest=digest, body=body, modified=listed.modified)
    if not keep(file):
        pickup.give_back(sftp, settings, path)
        return False
    pickup.archive(sftp, settings, path, digest, dt.datetime.now(dt.UTC))
    return True
