"""Run the simulated shop: `python -m syncworkers.sandbox.shopify --port N --webhook-url URL`."""

from __future__ import annotations

import sys

from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.serving import arguments, serve
from syncworkers.sandbox.shopify.app import build
from syncworkers.sandbox.shopify.catalogue import MARKETS


def main() -> None:
    """Serve until told to stop."""
    parser = arguments("A simulated Shopify shop.")
    parser.add_argument("--shop", default="acme-us.myshopify.com")
    parser.add_argument("--market", choices=sorted(MARKETS), default="us")
    parser.add_argument("--webhook-url", default="", help="where its webhooks go")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    given = parser.parse_args()
    shop = build(
        FaultPlan(level=given.faults, seed=given.seed),
        shop=given.shop,
        webhook_url=given.webhook_url,
        client_id=given.client_id,
        client_secret=given.client_secret,
        market=MARKETS[given.market],
        seed=given.seed,
        speed=given.speed,
        caller_deadline=given.caller_deadline,
    )
    bucket = shop.bucket
    sys.stdout.write(
        f"Shopify {given.shop} on http://127.0.0.1:{given.port}: bucket {bucket.maximum:g} points,"
        f" {bucket.restore_rate:g} a second, faults {given.faults}, seed {given.seed}\n"
    )
    sys.stdout.flush()
    serve(shop.program, given.port)


if __name__ == "__main__":
    main()
