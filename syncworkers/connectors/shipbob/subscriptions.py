"""Webhook subscriptions: which of our topics nobody sends yet. Contract: /webhook, 2026-01."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.shipbob.webhooks import HANDLED

if TYPE_CHECKING:
    from syncworkers.connectors.shipbob.account import Account


def missing(account: Account) -> list[str]:
    """Return our topics that no enabled subscription sends to our address, sorted."""
    url = account.settings.webhook_url
    sent: set[str] = set()
    for page in account.linked("webhook"):
        for one in page:
            topics = one.get("topics")
            ours = str(one.get("url", "")).rstrip("/") == url and one.get("enabled") is not False
            sent.update(map(str, topics) if ours and isinstance(topics, list) else ())
    return sorted(HANDLED - sent)


def subscribe(account: Account) -> list[str]:
    """Create one subscription for what is missing, signed with our secret; return its topics.

    Two workers at once may both create one: what comes twice is then read twice, no more.
    """
    if not account.settings.webhook_url:
        return []
    topics = missing(account)
    if topics:
        body = {
            "topics": topics,
            "url": account.settings.webhook_url,
            "description": "syncworkers",
            "secret": account.settings.webhook_secrets[0],
        }
        account.post("webhook", body)
    return topics
