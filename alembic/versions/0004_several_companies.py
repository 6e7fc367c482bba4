"""several companies: where an order is booked, and why its parts ship from where they do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("company", sa.Text(), nullable=True))
    op.add_column("order_part", sa.Column("route", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("order_part", "route")
    op.drop_column("sales_order", "company")
