"""The log of deliveries stays as fast as its page: each kind of filter is served by its index."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from agentmessage.kernel.db import CellDb
from agentmessage.webhooks import attempt_queries as queries
from agentmessage.webhooks import fanout_queries
from agentmessage.webhooks.attempt_queries import Wanted
from agentmessage.webhooks.model import Outcome
from tests.inbound.test_plans import Explaining
from tests.make.accounts import Account

ANYTHING = Wanted(
    before_at=None, before_id=None, event_type=None, outcome=None, since=None, status_min=None, status_max=None
)
LANE = UUID(int=1)


@pytest.fixture
async def busy(db: CellDb, account: Account) -> CellDb:
    """50,000 attempts of two organizations, to ten receivers; one in fifty failed."""
    await db.run(
        """INSERT INTO webhook_attempts (id, org_id, queue_id, kind, source_event_id, event_id, event_type, url,
               attempt, outcome, response_status, request_headers, occurred_at)
           SELECT gen_random_uuid(), CASE WHEN n % 3 = 0 THEN $2::uuid ELSE $1::uuid END,
                  ('00000000-0000-7000-8000-' || lpad((n % 10)::text, 12, '0'))::uuid, 'endpoint', gen_random_uuid(),
                  gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'lookup.completed' ELSE 'message.sent' END,
                  'https://customer.example/', 1, CASE WHEN n % 50 = 0 THEN 'retry' ELSE 'success' END, 200, '{}',
                  $3::timestamptz - n * interval '50 seconds'
           FROM generate_series(1, 50000) n""",
        account.org_id,
        account.sandbox.org_id,
        db.now,
    )
    await db.run("ANALYZE webhook_attempts")
    return db


SERVED: list[tuple[Callable[..., Awaitable[Any]], tuple[object, ...], dict[str, object], str]] = [
    (queries.list_, (ANYTHING,), {}, "webhook_attempts_list_idx"),
    (queries.list_failed, (replace(ANYTHING, outcome=Outcome.DEAD),), {}, "webhook_attempts_failed_idx"),
    (queries.list_of_queue, (LANE, ANYTHING), {}, "webhook_attempts_queue_idx"),
    (queries.list_of_type, ("lookup.completed", ANYTHING), {"queue_id": None}, "webhook_attempts_type_idx"),
    (queries.list_of_type, ("lookup.completed", ANYTHING), {"queue_id": LANE}, "webhook_attempts_type_idx"),
]


async def test_every_kind_of_filter_has_its_index(busy: CellDb, account: Account) -> None:
    explaining = Explaining(busy)
    unserved: list[tuple[str, str]] = []
    for ask, asked, given, index in SERVED:
        await ask(explaining, account.org_id, *asked, limit=51, **given)
        if f" using {index} on " not in explaining.plan or "Sort" in explaining.plan:
            unserved.append((ask.__name__, explaining.plan))

    assert unserved == []


async def test_whether_there_are_new_facts_is_one_look_at_the_end_of_their_order(db: CellDb, account: Account) -> None:
    """Asked ten times a second by every worker, however many facts are kept."""
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT gen_random_uuid(), $1, 'message.sent', 'message', gen_random_uuid(), '{}', now()
           FROM generate_series(1, 20000) n""",
        account.org_id,
    )
    await db.run("UPDATE event_cursors SET xid = pg_current_xact_id() WHERE name = 'webhooks'")
    await db.run("ANALYZE events")
    explaining = Explaining(db)

    await fanout_queries.is_behind(explaining)

    assert " using events_order_idx on events" in explaining.plan
    assert "Seq Scan on events " not in explaining.plan
