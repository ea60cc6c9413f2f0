"""Lists stay as fast as their page: each kind of filter is served by its index, whatever else could be given."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentmessage.conversations import queries as conversation_queries
from agentmessage.inbound import queries
from agentmessage.kernel.db import CellDb
from tests.make.accounts import Account
from tests.make.texts import CONTACT

BEFORE = datetime(2026, 4, 26, tzinfo=UTC)


class Explaining:
    """Takes a query's one statement and has its generic plan told instead."""

    def __init__(self, db: CellDb) -> None:
        self._db = db
        self.now = db.now
        self.plan = ""

    async def all(self, _row: Any, sql: Any, *arguments: object) -> list[Any]:
        nulls = f"({', '.join('NULL' for _ in arguments)})" if arguments else ""
        async with self._db.connection() as connection:
            await connection.execute("SET plan_cache_mode = force_generic_plan")
            await connection.execute(f"PREPARE asked AS {sql}")
            lines = await connection.fetch(f"EXPLAIN EXECUTE asked {nulls}")
            await connection.execute("DEALLOCATE asked")
        self.plan = "\n".join(line[0] for line in lines)
        return []

    async def one(self, row: Any, sql: Any, *arguments: object) -> None:
        await self.all(row, sql, *arguments)

    async def value(self, sql: Any, *arguments: object) -> None:
        await self.all(None, sql, *arguments)


@pytest.fixture
async def busy(db: CellDb, account: Account) -> CellDb:
    """A year of an organization's texts: 20,000 of them, with 500 contacts, at 20 numbers."""
    await db.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
               segment_count, opt_out_detected, carrier, carrier_message_id, received_at)
           SELECT gen_random_uuid(), $1, 'live', ('00000000-0000-7000-8000-' || lpad((n % 20)::text, 12, '0'))::uuid,
                  '+1212555' || lpad((n % 500)::text, 4, '0'), '+1415555' || lpad((n % 20)::text, 4, '0'), 'x', 'sms',
                  1, n % 200 = 0, 'smpp', n::text, $2::timestamptz - n * interval '25 minutes'
           FROM generate_series(1, 20000) n""",
        account.org_id,
        BEFORE,
    )
    await db.run(
        """INSERT INTO conversations (org_id, phone_number_id, contact_number, phone_number, last_message_at,
               last_direction, last_message_id, message_count)
           SELECT org_id, phone_number_id, from_number || n, to_number, max(received_at), 'inbound', $1, count(*)
           FROM inbound_messages, generate_series(1, 20) n GROUP BY 1, 2, 3, 4""",
        account.org_id,
    )
    await db.run("ANALYZE inbound_messages, conversations")
    return db


List = Callable[..., Awaitable[Any]]
NOTHING = {
    "before_at": None,
    "before_id": None,
    "sender": None,
    "recipient": None,
    "phone_number_id": None,
    "channel": None,
    "opt_out": None,
    "since": None,
}
NO_CONVERSATION = {
    "contact_number": None,
    "phone_number_id": None,
    "since": None,
    "opted_in": None,
    "before_at": None,
    "after_contact": "",
    "after_number_id": None,
}
SOME_ID = "00000000-0000-7000-8000-000000000001"


SERVED: list[tuple[List, dict[str, Any], str]] = [
    (queries.list_, NOTHING, "inbound_messages_list_idx"),
    (queries.list_, NOTHING | {"sender": CONTACT}, "inbound_messages_from_idx"),
    (queries.list_, NOTHING | {"recipient": CONTACT}, "inbound_messages_to_idx"),
    (queries.list_, NOTHING | {"phone_number_id": SOME_ID}, "inbound_messages_number_idx"),
    (queries.list_, NOTHING | {"opt_out": True}, "inbound_messages_opt_out_idx"),
    (queries.find_after, {"since": None, "sender": CONTACT, "recipient": CONTACT}, "inbound_messages_from_idx"),
    (queries.find_after, {"since": None, "sender": None, "recipient": CONTACT}, "inbound_messages_to_idx"),
    (queries.find_after, {"since": None, "sender": None, "recipient": None}, "inbound_messages_list_idx"),
    (queries.newest_at, {"sender": CONTACT, "recipient": CONTACT}, "inbound_messages_from_idx"),
    (queries.newest_at, {"sender": None, "recipient": None}, "inbound_messages_list_idx"),
    (conversation_queries.list_, NO_CONVERSATION, "conversations_list_idx"),
    (conversation_queries.list_, NO_CONVERSATION | {"contact_number": CONTACT}, "conversations_pkey"),
    (conversation_queries.list_, NO_CONVERSATION | {"phone_number_id": SOME_ID}, "conversations_number_idx"),
]


async def test_every_kind_of_filter_has_its_index(busy: CellDb, account: Account) -> None:
    explaining = Explaining(busy)
    unserved: list[tuple[str, dict[str, Any], str]] = []
    for ask, given, index in SERVED:
        await ask(explaining, account.org_id, **given, **({"limit": 21} if ask.__name__ == "list_" else {}))
        if f" using {index} on " not in explaining.plan:
            unserved.append((ask.__name__, given, explaining.plan))

    assert unserved == []
