"""The mutation root of the simulated shop: what apps change, with Shopify's forms of refusal."""

# ruff: noqa: N802, N803 - the names of fields and arguments are Shopify's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.apps import RefusedMetafieldsError, UserError
from syncworkers.sandbox.shopify.fulfilment_view import metafield_node, subscription_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.sandbox.shopify.apps import Apps
    from syncworkers.sandbox.shopify.webhooks import WebhookSender

Fields = dict[str, Any]


class Changes:
    """Resolves the fields of the mutation root; `show` gives a fulfilment by its plain id."""

    def __init__(
        self, apps: Apps, sender: WebhookSender, show: Callable[[str], Fields | None]
    ) -> None:
        self._apps = apps
        self._sender = sender
        self._show = show

    def fulfillmentCreate(
        self,
        _info: Any,
        fulfillment: Fields,
        message: str | None = None,
    ) -> Fields:
        """Send goods off."""
        try:
            made = self._apps.fulfil(
                fulfillment["lineItemsByFulfillmentOrder"],
                fulfillment.get("trackingInfo") or {},
                notify=bool(fulfillment.get("notifyCustomer")),
            )
        except UserError as error:
            return _refused(error)
        return {"fulfillment": self._show(made.id), "userErrors": []}

    def fulfillmentTrackingInfoUpdate(
        self,
        _info: Any,
        fulfillmentId: str,
        trackingInfoInput: Fields,
        notifyCustomer: bool | None = None,  # noqa: FBT001 - Shopify's name
    ) -> Fields:
        """Replace the tracking of a fulfilment."""
        wanted = fulfillmentId.rpartition("/")[2]
        try:
            made = self._apps.track(wanted, trackingInfoInput, notify=bool(notifyCustomer))
        except UserError as error:
            return _refused(error)
        return {"fulfillment": self._show(made.id), "userErrors": []}

    def webhookSubscriptionCreate(
        self, _info: Any, topic: str, webhookSubscription: Fields
    ) -> Fields:
        """Subscribe an address to a topic. The wording of refusals is unverified."""
        url = str(webhookSubscription.get("uri") or "")
        if not url.startswith(("http://", "https://")):
            error = {"field": ["webhookSubscription", "uri"], "message": "Address is invalid"}
            return {"webhookSubscription": None, "userErrors": [error]}
        made = self._sender.subscribe(topic.lower().replace("_", "/", 1), url)
        if made is None:
            told = "Address for this topic has already been taken"
            error = {"field": ["webhookSubscription", "uri"], "message": told}
            return {"webhookSubscription": None, "userErrors": [error]}
        return {"webhookSubscription": subscription_node(made), "userErrors": []}

    def metafieldsSet(self, _info: Any, metafields: list[Fields]) -> Fields:
        """Set metafields, all or none."""
        try:
            made = self._apps.note(metafields)
        except RefusedMetafieldsError as error:
            errors = [
                {"field": list(one.field), "message": one.message, "code": one.code}
                for one in error.refusals
            ]
            return {"metafields": [], "userErrors": errors}
        return {"metafields": [metafield_node(one) for one in made], "userErrors": []}


def _refused(error: UserError) -> Fields:
    return {
        "fulfillment": None,
        "userErrors": [{"field": error.field, "message": str(error)}],
    }
