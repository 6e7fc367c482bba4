"""Tables of the plain way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """What all tables share."""


class Order(Base):
    """An order and how far it is."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    name: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal]
    status: Mapped[str] = mapped_column(index=True)
    erp_number: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    lines: Mapped[list[OrderLine]] = relationship(back_populates="order")


class OrderLine(Base):
    """A line of an order."""

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    sku: Mapped[str | None]
    quantity: Mapped[int]
    price: Mapped[Decimal]
    order: Mapped[Order] = relationship(back_populates="lines")
