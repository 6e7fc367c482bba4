"""What must work in an instance before the first order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.errors import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.adobe_commerce.instance import Instance

READS = {
    "orders": "Magento_Sales::actions_view",
    "shipments": "Magento_Sales::ship",
}
"""By what is searched: the resource that allows it."""


def check(instance: Instance) -> list[str]:
    """Read a row of everything we read; return what does not work, with a remedy."""
    return list(_findings(instance))


def _findings(instance: Instance) -> Iterator[str]:
    for path, resource in READS.items():
        try:
            instance.read(path, {"searchCriteria[pageSize]": 1})
        except SyncError as error:
            yield f"{instance.settings.url} does not let us read {path} ({resource}): {error}"
    if not instance.settings.event_client_id:
        yield "[connection] event_client_id is missing: events for anybody would be taken"
