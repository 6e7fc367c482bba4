"""The ledger can fail: whatever is dropped in the database is found by the check that guards it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from syncworkers.engine.tables import EngineBase
from syncworkers.store import ledger
from syncworkers.store.base import Base
from syncworkers.store.schema import Base as Known

if TYPE_CHECKING:
    from tests.integration.world import World

DAMAGE = [
    ("applied message without effect or reason", "DELETE FROM entity_version"),
    ("applied version that owes nothing, without a reason", "DELETE FROM delivery"),
    (
        "superseded message without a reason",
        "UPDATE message SET state = 'superseded', reason = NULL WHERE state = 'applied'",
    ),
    ("rejected message without a case", "UPDATE message SET state = 'rejected'"),
    ("dead delivery without a case", "UPDATE delivery SET state = 'dead'"),
    ("confirmed delivery without a successful attempt", "DELETE FROM attempt"),
    ("confirmed create without a link", "DELETE FROM link"),
    (
        "order part that no warehouse was owed",
        "UPDATE delivery SET operation = 'x' WHERE operation = 'part.create'",
    ),
    (
        "shipment that its store was not told of, and no case says why",
        "DELETE FROM delivery WHERE partner = 'shopify-us'",
    ),
    ("order part that was packed whole, and not told whole", "DELETE FROM shipment_line"),
    (
        "invoice that its store was not told of",
        "UPDATE delivery SET operation = 'x' WHERE operation = 'invoice.note'",
    ),
    ("more shipped than ordered", "UPDATE shipment_line SET quantity = quantity + 1"),
    (
        "delivery that waits for one which does not exist",
        "UPDATE delivery SET state = 'open', after = '{nobody}'",
    ),
    (
        "cancelled or superseded delivery without a reason",
        "UPDATE delivery SET state = 'cancelled', reason = NULL",
    ),
    ("open message without a line", "UPDATE message SET state = 'open'"),
    ("open delivery without a line", "UPDATE delivery SET state = 'open'"),
    (
        "line whose pending count is not its open rows",
        "INSERT INTO line (lane, key, pending) SELECT min(id), 1, 1 FROM lane",
    ),
    (
        "line blocked by a case that is not open",
        "INSERT INTO line (lane, key, pending, blocked_by) SELECT min(id), 1, 0, 99 FROM lane",
    ),
    (
        "parked row without a due time or a key",
        "UPDATE message SET state = 'parked', due_at = NULL",
    ),
    (
        "planned delivery of a partner that is not observed",
        "UPDATE delivery SET state = 'parked', waiting_for = 'live:' || partner, due_at = now()",
    ),
    ("message without its body", "DELETE FROM message_body"),
]


def test_every_check_has_its_damage() -> None:
    assert [name for name, _ in DAMAGE] == [check.name for check in ledger.CHECKS]


def test_each_damage_is_found_by_its_check(world: World) -> None:
    order = world.release()
    world.warehouse.floor.ship(f"shopify-us-{order['id']}-1")
    world.hear()
    with world.erp.books.lock:
        [header] = world.erp.books.sets["SalesOrderHeadersV2"].values()
        world.erp.invoicing.post(header)
    world.hear()
    assert ledger.prove(world.fleet.database).findings == ()

    for name, damage in DAMAGE:
        with world.fleet.database.connect() as connection:
            connection.execute(sa.text(damage))
            found = [
                check.name
                for check in ledger.CHECKS
                if connection.execute(sa.text(check.query)).first()
            ]
            connection.rollback()
        assert name in found, damage


def test_the_migrations_make_exactly_the_tables_of_the_models(clean_database: sa.Engine) -> None:
    with clean_database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, [EngineBase.metadata, Known.metadata])

    assert Known is Base
    assert found == []


@pytest.mark.parametrize("column", ["state"])
def test_states_are_kept_to_their_vocabulary(clean_database: sa.Engine, column: str) -> None:
    with (
        pytest.raises(sa.exc.IntegrityError, match="message_state_check"),
        clean_database.begin() as connection,
    ):
        connection.execute(
            sa.text(
                f"INSERT INTO message (lane, line, {column}, partner, source, external_id, topic,"
                " kind, entity, correlation_id) VALUES (1, 1, 'odd', 'p', 's', 'e', 't', 'k', 'x',"
                " gen_random_uuid())"
            )
        )
