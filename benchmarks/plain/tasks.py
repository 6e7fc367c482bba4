"""Three tasks in a chain: import, book, confirm; Celery as it comes."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import requests
import sqlalchemy as sa
from celery import Celery, chain
from sqlalchemy.orm import sessionmaker

from benchmarks.plain.models import Order, OrderLine

Session = sessionmaker(sa.create_engine(os.environ["DATABASE_URL"]))
app = Celery("plain", broker=os.environ["PLAIN_BROKER"])
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


def receive(payload: dict[str, Any]) -> None:
    """Start the chain."""
    chain(import_order.s(payload), book_order.s(), confirm_order.s()).delay()


@app.task
def import_order(payload: dict[str, Any]) -> int:
    """Store the order unless it is there."""
    with Session() as session:
        order = session.scalar(sa.select(Order).where(Order.shop_id == payload["id"]))
        if order is None:
            order = Order(
                shop_id=payload["id"],
                name=payload["name"],
                currency=payload["currency"],
                total=Decimal(payload["total_price"]),
                status="new",
                payload=payload,
            )
            order.lines = [
                OrderLine(sku=line["sku"], quantity=line["quantity"], price=Decimal(line["price"]))
                for line in payload["line_items"]
            ]
            session.add(order)
            session.commit()
        return order.id


@app.task(autoretry_for=(requests.RequestException,), retry_backoff=True)
def book_order(order_id: int) -> int:
    """Create the order in the ERP."""
    with Session() as session:
        order = session.get_one(Order, order_id)
        body = {
            "reference": order.name,
            "currency": order.currency,
            "total": str(order.total),
            "lines": [
                {"item": line.sku, "quantity": line.quantity, "price": str(line.price)}
                for line in order.lines
            ],
        }
        response = requests.post(  # noqa: TID251 - the plain way does what most code does
            f"{os.environ['PLAIN_ERP']}/orders",
            json=body,
            headers={"Authorization": "Bearer plain"},
            timeout=10,
        )
        response.raise_for_status()
        order.erp_number = response.json()["number"]
        order.status = "booked"
        session.commit()
    return order_id


@app.task
def confirm_order(order_id: int) -> None:
    """Note that the order stands in the ERP."""
    with Session() as session:
        order = session.get_one(Order, order_id)
        order.status = "confirmed"
        session.commit()
