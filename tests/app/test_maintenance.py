"""What has outlived its promise is forgotten, however much of it there is."""

from datetime import timedelta

from agentmessage.app import maintenance
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.make.accounts import Account


async def test_more_than_a_bite_of_what_is_old_is_forgotten_in_one_round(
    cells: Cells, db: CellDb, account: Account, settings: Settings
) -> None:
    """A day of many texts tells more than a batch of facts in each round; a round of one batch would fall behind."""
    await db.run("DELETE FROM events")
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT gen_random_uuid(), $1, 'message.sent', 'message', $1, '{}',
                  $2::timestamptz - CASE WHEN n > 1 THEN $3 ELSE interval '0' END
           FROM generate_series(1, 25000) n""",
        account.org_id,
        db.now,
        maintenance.EVENTS_KEPT + timedelta(hours=1),
    )

    await maintenance.tidy(cells, settings)

    assert await db.value("SELECT count(*) FROM events") == 1
