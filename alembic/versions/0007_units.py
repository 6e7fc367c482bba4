"""units: what was in a parcel as its warehouse counts, beside the sales units it made whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shipment", sa.Column("packed", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("shipment", "packed")
