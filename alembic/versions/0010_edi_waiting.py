"""edi_waiting: which sets of ours nobody has acknowledged, without reading all that ever were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "edi_set_waiting",
        "edi_set",
        ["file_id"],
        postgresql_where=sa.text("state = 'waiting' AND code <> '997'"),
    )


def downgrade() -> None:
    op.drop_index("edi_set_waiting", table_name="edi_set")
