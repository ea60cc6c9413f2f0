"""Lists and sweeps cost what they answer, also in the plan that serves every set of filters."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentmessage.consent import queries as consent_queries
from agentmessage.delivery.receipts import queries as receipt_queries
from agentmessage.kernel.db import CellDb
from agentmessage.messages import queries
from tests.inbound.test_plans import Explaining
from tests.make.accounts import Account
from tests.make.texts import CONTACT

BEFORE = datetime(2026, 4, 26, tzinfo=UTC)


@pytest.fixture
async def busy(db: CellDb, account: Account) -> CellDb:
    """40,000 messages of a year to 10,000 people, who agreed but for a few; 50 of the messages wait."""
    await db.run(
        """INSERT INTO messages (id, org_id, account, phone_number_id, kind, sender, recipient, text, channel, encoding,
               segments, priority, status, unit_price_microcents, expires_at, created_at, updated_at)
           SELECT gen_random_uuid(), $1, 'live', $1, 'customer', '+14155550123',
                  '+1212' || lpad((n % 10000)::text, 7, '0'), 'Acme: you are next.', 'sms', 'gsm7', 1, 1,
                  CASE WHEN n % 800 = 0 THEN 'queued' ELSE 'delivered' END, 1, at, at, at
           FROM generate_series(1, 40000) n,
                LATERAL (SELECT $2::timestamptz - (40000 - n) * interval '13 minutes' AS at) moment""",
        account.org_id,
        BEFORE,
    )
    await db.run(
        """INSERT INTO message_queue (message_id, org_id, account, phone_number_id, queue_id, recipient, kind,
               channel, segments, priority, price_microcents, ready_at, expires_at)
           SELECT id, org_id, account, phone_number_id, org_id, recipient, kind, channel, 1, 1, 1, created_at,
                  created_at
           FROM messages WHERE status = 'queued'"""
    )
    await db.run(
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, outcome,
               created_at)
           SELECT account, 'smpp', id::text, id, org_id, 1, 1, 'delivered', created_at FROM messages"""
    )
    await db.run(
        """INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, source, created_at, updated_at)
           SELECT gen_random_uuid(), org_id, org_id, recipient, random() > 0.01, 'api', min(created_at), max(created_at)
           FROM messages GROUP BY org_id, recipient ORDER BY random()"""
    )
    await db.run("ANALYZE messages, message_queue, message_parts, consents")
    return db


PAGE = {"before_at": None, "before_id": None, "limit": 51}
MESSAGES = PAGE | {"status": None, "sender": None, "recipient": None, "tag": None}
CONSENTS = PAGE | {
    "contact_number": None,
    "phone_number_id": None,
    "opted_in": None,
    "since": None,
    "consent_method": None,
}

# Messages that wait are found from the queue, each by its id.
SERVED: list[tuple[Callable[..., Awaitable[Any]], dict[str, Any], str]] = [
    (queries.list_, MESSAGES, "messages_list_idx"),
    (queries.list_, MESSAGES | {"recipient": CONTACT}, "messages_recipient_idx"),
    (queries.list_, MESSAGES | {"status": "queued"}, "messages_pkey"),
    (queries.list_, MESSAGES | {"status": "sending"}, "messages_pkey"),
    (consent_queries.list_, CONSENTS, "consents_list_idx"),
    (consent_queries.list_, CONSENTS | {"contact_number": CONTACT}, "consents_contact_idx"),
    (consent_queries.list_, CONSENTS | {"opted_in": False}, "consents_out_idx"),
]


async def test_every_kind_of_filter_has_its_index(busy: CellDb, account: Account) -> None:
    explaining = Explaining(busy)
    unserved: list[tuple[dict[str, Any], str]] = []
    for ask, given, index in SERVED:
        await ask(explaining, account.org_id, **given)
        if index not in explaining.plan:
            unserved.append((given, explaining.plan))

    assert unserved == []


async def test_parts_without_a_receipt_are_gone_through_in_order(busy: CellDb, account: Account) -> None:
    """A batch reads on from its position: it neither sorts nor reads rows of other batches."""
    explaining: Any = Explaining(busy)

    await receipt_queries.list_silent(explaining, "live", since=BEFORE, after=account.org_id, until=BEFORE, limit=500)

    assert " using message_parts_age_idx on " in explaining.plan


async def test_the_first_pages_of_messages_have_no_summary_that_inserts_would_have_to_change(db: CellDb) -> None:
    await db.run(
        """INSERT INTO messages (id, org_id, account, phone_number_id, kind, sender, recipient, channel, encoding,
               segments, priority, status, unit_price_microcents, expires_at, created_at, updated_at)
           SELECT gen_random_uuid(), gen_random_uuid(), 'live', gen_random_uuid(), 'customer', '+1', '+1', 'sms',
                  'gsm7', 1, 1, 'queued', 1, now(), now(), now()"""
    )

    newly_summarized = await db.value("SELECT brin_summarize_range('messages_recipient_idx', 0)")

    assert newly_summarized == 1
