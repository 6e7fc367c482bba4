"""round trip: parts, shipments, invoices, customers; lineage becomes a view."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# An edge follows from the rows themselves, so it can never be forgotten or contradict them.
LINEAGE = """
CREATE VIEW lineage AS
SELECT 'order' AS parent_kind, order_id AS parent_id, 'part' AS child_kind, id AS child_id,
       created_at AS at FROM order_part
UNION ALL
SELECT 'part', part_id, 'shipment', id, received_at FROM shipment
UNION ALL
SELECT DISTINCT 'shipment', m.shipment_id, 'invoice', i.id, i.received_at
  FROM invoice_match m JOIN invoice i ON i.id = m.invoice_id WHERE m.shipment_id IS NOT NULL
UNION ALL
SELECT 'order', i.order_id, 'invoice', i.id, i.received_at FROM invoice i
 WHERE NOT EXISTS (SELECT 1 FROM invoice_match m
                    WHERE m.invoice_id = i.id AND m.shipment_id IS NOT NULL)
"""


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_pkey")),
        sa.UniqueConstraint(
            "partner", "external_id", name=op.f("customer_partner_external_id_key")
        ),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("tax_total", sa.Numeric(), nullable=False),
        sa.Column("charge_total", sa.Numeric(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("invoice_order_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_pkey")),
        sa.UniqueConstraint("partner", "external_id", name=op.f("invoice_partner_external_id_key")),
    )
    op.create_index("invoice_number", "invoice", ["number"], unique=False)
    op.create_index("invoice_order_id", "invoice", ["order_id"], unique=False)
    op.create_table(
        "order_part",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "gate IN ('erp_booked', 'validated')", name=op.f("order_part_gate_check")
        ),
        sa.CheckConstraint(
            "state IN ('received', 'accepted', 'on_hold', 'exception', 'label_created', "
            "'shipped', 'cancelled', 'unknown')",
            name=op.f("order_part_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sales_order.id"],
            name=op.f("order_part_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("order_part_pkey")),
        sa.UniqueConstraint("order_id", "number", name=op.f("order_part_order_id_number_key")),
        sa.UniqueConstraint("reference", name=op.f("order_part_reference_key")),
    )
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit_price", sa.Numeric(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("tax", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
            name=op.f("invoice_line_invoice_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("invoice_id", "number", name=op.f("invoice_line_pkey")),
    )
    op.create_table(
        "shipment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("tracking_url", sa.Text(), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("milestone_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.Column("tracked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("track_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "milestone IN ('label_created', 'pickup_scheduled', 'picked_up', "
            "'in_transit', 'out_for_delivery', 'delivery_attempted', "
            "'available_for_pickup', 'customs_hold', 'delayed', 'exception', 'refused', "
            "'damaged', 'lost', 'returning', 'delivered', 'returned', 'cancelled', "
            "'unknown')",
            name=op.f("shipment_milestone_check"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sales_order.id"],
            name=op.f("shipment_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["order_part.id"], name=op.f("shipment_part_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("shipment_pkey")),
        sa.UniqueConstraint(
            "partner", "external_id", name=op.f("shipment_partner_external_id_key")
        ),
    )
    op.create_index("shipment_order_id", "shipment", ["order_id"], unique=False)
    op.create_index("shipment_part_id", "shipment", ["part_id"], unique=False)
    op.create_index(
        "shipment_track_due",
        "shipment",
        ["partner", "track_due_at"],
        unique=False,
        postgresql_where=sa.text("track_due_at IS NOT NULL"),
    )
    op.create_index("shipment_tracking_number", "shipment", ["tracking_number"], unique=False)
    op.create_table(
        "invoice_match",
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("order_line", sa.Text(), nullable=True),
        sa.Column("shipment_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
            name=op.f("invoice_match_invoice_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("invoice_match_shipment_id_fkey")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "line", "place", name=op.f("invoice_match_pkey")),
    )
    op.create_index("invoice_match_shipment_id", "invoice_match", ["shipment_id"], unique=False)
    op.create_table(
        "shipment_line",
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("order_line", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"],
            ["shipment.id"],
            name=op.f("shipment_line_shipment_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shipment_id", "position", name=op.f("shipment_line_pkey")),
    )
    op.create_table(
        "shipment_milestone",
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"],
            ["shipment.id"],
            name=op.f("shipment_milestone_shipment_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "shipment_id", "code", "occurred_at", "location", name=op.f("shipment_milestone_pkey")
        ),
    )
    op.drop_index(op.f("lineage_child"), table_name="lineage")
    op.drop_table("lineage")
    op.execute(LINEAGE)
    op.add_column(
        "delivery",
        sa.Column("after", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "delivery_after",
        "delivery",
        ["after"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("state = 'open' AND after <> '{}'"),
    )
    op.create_index(
        "exception_case_entity",
        "exception_case",
        ["entity", "code"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_constraint("exception_case_about_check", "exception_case", type_="check")
    op.create_check_constraint(
        op.f("exception_case_about_check"),
        "exception_case",
        "about IN ('message', 'delivery', 'expectation', 'poll')",
    )


def downgrade() -> None:
    op.drop_constraint("exception_case_about_check", "exception_case", type_="check")
    op.create_check_constraint(
        op.f("exception_case_about_check"),
        "exception_case",
        "about IN ('message', 'delivery', 'expectation')",
    )
    op.drop_index(
        "exception_case_entity",
        table_name="exception_case",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(
        "delivery_after",
        table_name="delivery",
        postgresql_using="gin",
        postgresql_where=sa.text("state = 'open' AND after <> '{}'"),
    )
    op.drop_column("delivery", "after")
    op.execute("DROP VIEW lineage")
    op.create_table(
        "lineage",
        sa.Column("parent_kind", sa.TEXT(), autoincrement=False, nullable=False),
        sa.Column("parent_id", sa.BIGINT(), autoincrement=False, nullable=False),
        sa.Column("child_kind", sa.TEXT(), autoincrement=False, nullable=False),
        sa.Column("child_id", sa.BIGINT(), autoincrement=False, nullable=False),
        sa.Column(
            "at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "parent_kind", "parent_id", "child_kind", "child_id", name=op.f("lineage_pkey")
        ),
    )
    op.create_index(op.f("lineage_child"), "lineage", ["child_kind", "child_id"], unique=False)
    op.drop_table("shipment_milestone")
    op.drop_table("shipment_line")
    op.drop_index("invoice_match_shipment_id", table_name="invoice_match")
    op.drop_table("invoice_match")
    op.drop_index("shipment_tracking_number", table_name="shipment")
    op.drop_index(
        "shipment_track_due",
        table_name="shipment",
        postgresql_where=sa.text("track_due_at IS NOT NULL"),
    )
    op.drop_index("shipment_part_id", table_name="shipment")
    op.drop_index("shipment_order_id", table_name="shipment")
    op.drop_table("shipment")
    op.drop_table("invoice_line")
    op.drop_table("order_part")
    op.drop_index("invoice_order_id", table_name="invoice")
    op.drop_index("invoice_number", table_name="invoice")
    op.drop_table("invoice")
    op.drop_table("customer")
