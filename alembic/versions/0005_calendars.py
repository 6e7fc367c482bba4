"""calendars: what was promised of a part, and deliveries that wait for a time of day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENTS = ("release_at", "ship_by", "promised_at")


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("order_part", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery", "not_before")
    for name in MOMENTS:
        op.drop_column("order_part", name)
