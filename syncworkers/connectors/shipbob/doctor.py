"""What must work at ShipBob before the first order: token, channel, webhooks, a living version."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from syncworkers.connectors.http import http_date
from syncworkers.connectors.inspecting import (
    RIGHTS,
    VersionEnd,
    clock,
    complaints,
    first_call,
    reading,
    version,
)
from syncworkers.connectors.shipbob import subscriptions
from syncworkers.connectors.shipbob.settings import SUNSETS, SUNSETS_SOURCE
from syncworkers.errors import CredentialsError, SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.cutover import CheckResult
    from syncworkers.connectors.shipbob.account import Account
    from syncworkers.connectors.shipbob.settings import Settings

SCOPE = "orders_write"
WARN_BEFORE = dt.timedelta(days=90)


def check(account: Account) -> list[str]:
    """Ask ShipBob about ourselves; return what is not as configured, with its remedy."""
    try:
        return [*_wrong_version(account), *_wrong_channel(account), *_missing_topics(account)]
    except CredentialsError as error:
        return [str(error)]
    except SyncError as error:
        return [f"{account.settings.base} cannot be read: {error}"]


def inspect(account: Account, today: dt.date) -> list[CheckResult]:
    """Look at everything, thing by thing; the subscriptions are looked at apart."""
    settings = account.settings
    found, read = first_call(lambda: account.read("channel", {"RecordsPerPage": 1}), settings.base)
    found.append(clock(account.ahead))
    if read is None:
        return found
    ends = {
        spoken: VersionEnd(last=last, source=SUNSETS_SOURCE) for spoken, last in SUNSETS.items()
    }
    if settings.sunset is not None:
        source = (
            "[connection] sunset"
            if settings.sunset != SUNSETS.get(settings.api_version)
            else SUNSETS_SOURCE
        )
        ends[settings.api_version] = VersionEnd(last=settings.sunset, source=source)
    found.append(version(settings.api_version, ends, today))
    try:
        wrong = list(_wrong_channel(account))
    except SyncError as error:
        wrong = [str(error)]
    well = f"channel {settings.channel_id} has the scope {SCOPE}"
    found.append(complaints(RIGHTS, wrong, well=well, remedy="see GET /channel of this token"))
    found.append(reading(lambda: _read_orders(account)))
    return found


def _read_orders(account: Account) -> str:
    orders, _ = account.read("order", {"Page": 1, "Limit": 1}, in_channel=True)
    return f"read {len(orders)} order" if isinstance(orders, list) else "read orders"


def shipping_methods(account: Account) -> frozenset[str]:
    """Return the names of the active shipping methods; any other would be shipped as Standard.

    Raises the errors of `Account.read`.
    """
    pages = account.numbered("shipping-method", {})
    methods = [one for page in pages for one in page if one.get("active") is True]
    return frozenset(str(one["name"]) for one in methods if one.get("name"))


def _wrong_version(account: Account) -> Iterator[str]:
    # ShipBob's own clock judges: ours may be the one that is wrong.
    _, answer = account.read("channel", {"RecordsPerPage": 1})
    told = http_date(answer.headers.get("Date", ""))
    if told is not None:
        yield from ending(account.settings, dt.datetime.fromtimestamp(told, dt.UTC).date())


def ending(settings: Settings, today: dt.date) -> Iterator[str]:
    """Say that the API version ends soon, or has ended."""
    last = settings.sunset
    if last is not None and today > last - WARN_BEFORE:
        word = "ends" if today <= last else "ended"
        yield (
            f"[connection] api_version {settings.api_version} {word} on {last}:"
            " move to a later one, or correct sunset"
        )


def _wrong_channel(account: Account) -> Iterator[str]:
    wanted = account.settings.channel_id
    channels = [one for page in account.linked("channel") for one in page]
    ours = [one for one in channels if str(one.get("id")) == str(wanted)]
    if not ours:
        known = ", ".join(f"{one.get('id')} ({one.get('name')})" for one in channels) or "none"
        yield f"[connection] channel_id {wanted} is none of the token's channels: {known}"
    elif SCOPE not in (ours[0].get("scopes") or ()):
        yield f"channel {wanted} lacks the scope {SCOPE}: choose one that has it"


def _missing_topics(account: Account) -> Iterator[str]:
    if not account.settings.webhook_url:
        return
    topics = subscriptions.missing(account)
    if topics:
        yield (
            f"no enabled webhook subscription sends {', '.join(topics)}"
            f" to {account.settings.webhook_url}: subscribe anew"
        )
