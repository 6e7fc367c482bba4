"""Collect: one look at the partner's folder, and every whole file handed over."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from syncworkers.connectors.base import Collected
from syncworkers.connectors.edi_sftp import pickup
from syncworkers.connectors.edi_sftp.session import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath

    import paramiko

    from syncworkers.connectors.base import Deadline, Seen
    from syncworkers.connectors.edi_sftp.settings import Settings


def collect(
    settings: Settings,
    unchanged: Mapping[Seen, float],
    keep: Callable[[Collected], bool],
    deadline: Deadline,
) -> list[Seen]:
    """Hand over each whole file; return what is there and not taken yet, as it looks now.

    `unchanged` says for how many seconds files have looked as they do. What was claimed before, by
    somebody who is gone, comes first. `keep` returns False for a file whose end is missing: it is
    put back, and looked at again. Raises the errors of `session.opened`, and what `keep` raises.
    """
    with opened(settings, deadline) as sftp:
        for one in pickup.left_behind(sftp, settings):
            _take(sftp, settings, settings.pickup / pickup.CLAIMED / one.name, one, keep)
        listed = pickup.listing(sftp, settings.pickup)
        taken = set()
        for one in pickup.ready(settings, listed, unchanged):
            if deadline.passed():
                break
            path = pickup.claim(sftp, settings, one.name)
            if path is None or _take(sftp, settings, path, one, keep):
                taken.add(one.name)
    marks = settings.done_marker
    return [
        one for one in listed if one.name not in taken and not (marks and one.name.endswith(marks))
    ]


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
