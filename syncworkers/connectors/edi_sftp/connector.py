"""One EDI warehouse: it is left files with order parts, and leaves files with what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.base import Deadline
from syncworkers.connectors.edi_sftp import collecting, parts, pickup
from syncworkers.connectors.edi_sftp.session import opened
from syncworkers.connectors.edi_sftp.settings import read_settings
from syncworkers.errors import SyncError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.connectors.base import Outcome, Ports, Request
    from syncworkers.connectors.files import Collected, Seen
    from syncworkers.policy.partners import PartnerPolicy


class EdiSftp:
    """Offers `Checks`, `Pushes` and `Collects`; a connection is opened for each piece of work."""

    shipment_strategy = ""

    def __init__(self, policy: PartnerPolicy, ports: Ports) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._deadline = policy.lane.call_deadline
        if ports.ledger is None:
            message = f"{policy.name} exchanges numbered files and needs a ledger of its numbers"
            raise ValueError(message)
        self._ledger = ports.ledger

    @property
    def acknowledged_within(self) -> float:
        """Seconds in which what we send must be acknowledged."""
        return self._settings.acknowledged_within

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the effects, many in one file; nothing is ever of unknown outcome."""
        return parts.push(self._settings, self._ledger, requests, deadline)

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the effects up in the ledger: what stands there is seen to that it arrives."""
        return parts.find(self._settings, self._ledger, requests, deadline)

    def collect(
        self,
        unchanged: Mapping[Seen, float],
        keep: Callable[[Collected], bool],
        unable: Callable[[str, str], None],
        deadline: Deadline,
    ) -> list[Seen]:
        """Hand over each whole file, and archive it once it is kept."""
        return collecting.collect(self._settings, unchanged, keep, unable, deadline)

    def restore(self, since: dt.datetime, until: dt.datetime, deadline: Deadline) -> int:
        """Put back what was archived in that time."""
        with opened(self._settings, deadline) as sftp:
            return pickup.restore(sftp, self._settings, since, until)

    def check(self) -> list[str]:
        """Log in and list the folders; return what does not work, with a remedy."""
        deadline = Deadline(self._deadline)
        wrong = []
        try:
            with opened(self._settings, deadline) as sftp:
                for folder in (self._settings.pickup, self._settings.drop):
                    try:
                        sftp.listdir(str(folder))
                    except OSError as error:
                        wrong.append(f"folder {folder} cannot be listed ({error}): have it made")
        except SyncError as error:
            wrong.append(str(error))
        return wrong

    def close(self) -> None:
        """Nothing stays open."""
