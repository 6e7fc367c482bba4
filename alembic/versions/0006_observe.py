"""observe: each partner's mode, and which links an earlier integration left us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner_state",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("mistrusted_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('observe', 'live')", name=op.f("partner_state_mode_check")),
        sa.PrimaryKeyConstraint("partner", name=op.f("partner_state_pkey")),
    )
    op.create_table(
        "certification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("probes", JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("certification_pkey")),
    )
    op.create_index(
        op.f("certification_partner_api_version_idx"),
        "certification",
        ["partner", "api_version", "id"],
    )
    op.add_column(
        "link",
        sa.Column("imported", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("link", "imported")
    op.drop_table("certification")
    op.drop_table("partner_state")
