"""edi: the control-number ledger; interchanges that came, files that are seen, ship advices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "control_number",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("partner", "sender", "receiver", "usage")
        ),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "partner", "sender", "receiver", "usage", name=op.f("control_number_pkey")
        ),
    )
    op.create_table(
        "edi_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("functional_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _now("frozen_at"),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('frozen', 'uploaded')", name=op.f("edi_file_state_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_file_pkey")),
        sa.UniqueConstraint("partner", "name", name=op.f("edi_file_partner_name_key")),
    )
    op.create_index("edi_file_number", "edi_file", ["partner", "number", "functional_id"])
    op.create_table(
        "edi_set",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'rejected')", name=op.f("edi_set_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["edi_file.id"], name=op.f("edi_set_file_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "place", name=op.f("edi_set_pkey")),
    )
    op.create_index("edi_set_reference", "edi_set", ["reference", "file_id"])
    op.create_table(
        "interchange",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("partner", "sender", "receiver", "usage")
        ),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _now("received_at"),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("interchange_pkey")),
    )
    op.create_index(
        "interchange_number", "interchange", ["partner", "sender", "receiver", "usage", "number"]
    )

    op.create_table(
        "sighted_file",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("modified", sa.BigInteger(), nullable=True),
        _now("since"),
        sa.Column("unfinished", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("partner", "name", name=op.f("sighted_file_pkey")),
    )
    op.create_table(
        "ship_advice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        _now("received_at"),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["order_part.id"],
            name=op.f("ship_advice_part_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ship_advice_pkey")),
        sa.UniqueConstraint("part_id", "digest", name=op.f("ship_advice_part_id_digest_key")),
    )


def downgrade() -> None:
    op.drop_table("ship_advice")
    for table in ("sighted_file", "interchange", "edi_set", "edi_file", "control_number"):
        op.drop_table(table)
