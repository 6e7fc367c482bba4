"""stock and charges: movements, counts, and what partners want to be paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOVEMENTS = "'receipt', 'adjustment'"
REASONS = (
    "'received', 'counted', 'damaged', 'expired', 'lost', 'found', 'returned', 'transferred', "
    "'scrapped', 'held', 'released', 'corrected', 'unknown'"
)
CONDITIONS = "'good', 'damaged', 'held', 'over', 'short', 'unknown'"
COUNTED = ("on_hand", "available", "allocated", "held", "damaged", "incoming")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _received_at() -> sa.Column[object]:
    return sa.Column(
        "received_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("now()"),
        nullable=False,
    )


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({words})", name=op.f(f"{table}_{column}_check"))


def upgrade() -> None:
    _stock_movement()
    _stock_count()
    _charge()


def _stock_movement() -> None:
    op.create_table(
        "stock_movement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *_texts("partner", "kind", "number"),
        sa.Column("line", sa.Integer(), nullable=False),
        _moment("occurred_at"),
        *_texts("warehouse", "sku"),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        *_texts("unit", "reason", "condition", "code", "lot", "reference", "shipment"),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _received_at(),
        _one_of("stock_movement", "kind", MOVEMENTS),
        _one_of("stock_movement", "reason", REASONS),
        _one_of("stock_movement", "condition", CONDITIONS),
        sa.PrimaryKeyConstraint("id", name=op.f("stock_movement_pkey")),
        sa.UniqueConstraint(
            "partner",
            "kind",
            "number",
            "line",
            name=op.f("stock_movement_partner_kind_number_line_key"),
        ),
    )
    op.create_index(
        "stock_movement_sku", "stock_movement", ["partner", "warehouse", "sku", "occurred_at"]
    )


def _stock_count() -> None:
    op.create_table(
        "stock_snapshot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *_texts("partner", "warehouse"),
        _moment("as_of"),
        *_texts("reference"),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        *_texts("digest"),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _received_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("stock_snapshot_pkey")),
        sa.UniqueConstraint(
            "partner", "warehouse", "as_of", name=op.f("stock_snapshot_partner_warehouse_as_of_key")
        ),
    )
    op.create_table(
        "stock_count",
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        *_texts("sku", "unit"),
        *(sa.Column(name, sa.Numeric(), nullable=True) for name in COUNTED),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["stock_snapshot.id"],
            name=op.f("stock_count_snapshot_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "sku", name=op.f("stock_count_pkey")),
    )


def _charge() -> None:
    op.create_table(
        "charge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *_texts("partner", "kind", "number", "state"),
        sa.Column("credit", sa.Boolean(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        *_texts("currency"),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _received_at(),
        _one_of("charge", "kind", "'warehousing', 'freight'"),
        _one_of("charge", "state", "'matched', 'unmatched'"),
        sa.PrimaryKeyConstraint("id", name=op.f("charge_pkey")),
        sa.UniqueConstraint(
            "partner", "kind", "number", name=op.f("charge_partner_kind_number_key")
        ),
    )
    op.create_table(
        "charge_shipment",
        sa.Column("charge_id", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        *_texts("reference"),
        sa.ForeignKeyConstraint(
            ["charge_id"],
            ["charge.id"],
            name=op.f("charge_shipment_charge_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"],
            ["shipment.id"],
            name=op.f("charge_shipment_shipment_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge_id", "shipment_id", name=op.f("charge_shipment_pkey")),
    )
    op.create_index("charge_shipment_shipment_id", "charge_shipment", ["shipment_id"])


def downgrade() -> None:
    for table in ("charge_shipment", "charge", "stock_count", "stock_snapshot", "stock_movement"):
        op.drop_table(table)
