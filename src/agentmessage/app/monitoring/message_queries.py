"""Queries on the messages of all organizations, for the operator and the metrics: they cross tenants on purpose."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor

RECEIPT_MIN_AGE = timedelta(minutes=1)
RECEIPT_MAX_AGE = timedelta(minutes=10)
"""The age range of message parts counted as missing a receipt."""


class QueueRow(Struct, frozen=True):
    """The messages of one send queue that the carrier has not accepted.

    `due`: ready to send. `delayed`: ready later. `in_flight`: submitted without a response. `held`: queued before a
    restore, until the operator releases or drops them. `queue` is the campaign's id at the registry, or the number of
    messages without a campaign. `oldest_at`: the oldest due message. `paused_until`: the carrier throttles.
    """

    account: str
    org_id: UUID
    organization: str
    queue: str
    due: int
    delayed: int
    in_flight: int
    held: int
    oldest_at: datetime | None
    paused_until: datetime | None


class UnknownRow(Struct, frozen=True):
    """A message whose outcome at the carrier is unknown."""

    message_id: UUID
    org_id: UUID
    account: str
    sender: str
    recipient: str
    unknown_at: datetime
    reason: str | None


class UnmatchedReceipt(Struct, frozen=True):
    """A receipt that matches no message. `sender` is as the carrier wrote it; `reason` is why there is no match."""

    id: UUID
    received_at: datetime
    account: str
    carrier: str
    carrier_message_id: str
    sender: str
    status: str
    reason: str
    raw: str


class QueueCount(Struct, frozen=True):
    """One account's queue in one cell, counted as in QueueRow."""

    account: str
    due: int
    delayed: int
    in_flight: int
    held: int
    oldest_at: datetime | None


class AccountCount(Struct, frozen=True):
    """How many of something belong to one account."""

    account: str
    count: int


async def list_queues(db: Executor, *, limit: int) -> list[QueueRow]:
    """The send queues of one cell that are not empty, longest waiting first. Reads the whole table."""
    return await db.all(
        QueueRow,
        """SELECT q.account, q.org_id, o.name, coalesce(c.tcr_campaign_id, n.number, q.queue_id::text),
                  q.due, q.delayed, q.in_flight, q.held, q.oldest_at, b.paused_until
           FROM (SELECT account, org_id, queue_id,
                        count(*) FILTER (WHERE claimed_at IS NULL AND ready_at <= $1) AS due,
                        count(*) FILTER (WHERE claimed_at IS NULL AND ready_at > $1) AS delayed,
                        count(*) FILTER (WHERE claimed_at IS NOT NULL AND claim_until IS DISTINCT FROM 'infinity')
                            AS in_flight,
                        count(*) FILTER (WHERE claim_until = 'infinity') AS held,
                        min(ready_at) FILTER (WHERE claimed_at IS NULL AND ready_at <= $1) AS oldest_at
                 FROM message_queue GROUP BY account, org_id, queue_id) q
           JOIN organizations o ON o.id = q.org_id
           LEFT JOIN campaigns c ON c.id = q.queue_id
           LEFT JOIN phone_numbers n ON n.id = q.queue_id
           LEFT JOIN send_rate_buckets b
             ON b.account = q.account AND b.scope = 'queue:' || q.queue_id AND b.paused_until > $1
           ORDER BY q.oldest_at NULLS LAST, q.due DESC, q.org_id, q.queue_id LIMIT $2""",
        db.now,
        limit,
    )


async def list_unknown(db: Executor, since: datetime, *, limit: int) -> list[UnknownRow]:
    """Messages of one cell that became unknown since then and still are, newest first; by events_unknown_idx."""
    return await db.all(
        UnknownRow,
        """SELECT m.id, m.org_id, m.account, m.sender, m.recipient, e.created_at, m.carrier_text
           FROM events e JOIN messages m ON m.id = e.resource_id AND m.org_id = e.org_id AND m.error_code = 'unknown'
           WHERE e.type = 'message.undelivered' AND e.data #>> '{error,code}' = 'unknown' AND e.created_at >= $1
           ORDER BY e.created_at DESC, e.id DESC LIMIT $2""",
        since,
        limit,
    )


async def list_unmatched(db: Executor, before: datetime, *, limit: int) -> list[UnmatchedReceipt]:
    """One cell's receipts that came before then and that no message was found for, newest first."""
    return await db.all(
        UnmatchedReceipt,
        """SELECT id, received_at, account, carrier, carrier_message_id, sender, status, 'no message', raw
           FROM unmatched_receipts WHERE received_at < $1 ORDER BY received_at DESC, id LIMIT $2""",
        before,
        limit,
    )


async def find_unmatched(db: Executor, ids: Sequence[UUID]) -> list[UUID]:
    """Those of these receipts that one cell has no message for."""
    return await db.all(_id, "SELECT id FROM unmatched_receipts WHERE id = ANY ($1)", ids)


async def list_undecided(db: Executor, before: datetime, *, limit: int) -> list[UnmatchedReceipt]:
    """Receipts that came before then and whose id may mean several messages, newest first."""
    return await db.all(
        UnmatchedReceipt,
        """SELECT id, received_at, account, carrier, carrier_message_id, sender, status, 'ambiguous id', raw
           FROM directory.undecided_receipts WHERE received_at < $1 ORDER BY received_at DESC, id LIMIT $2""",
        before,
        limit,
    )


async def count_queue(db: Executor) -> list[QueueCount]:
    """One cell's queue by account."""
    return await db.all(
        QueueCount,
        """SELECT account, count(*) FILTER (WHERE claimed_at IS NULL AND ready_at <= $1),
                  count(*) FILTER (WHERE claimed_at IS NULL AND ready_at > $1),
                  count(*) FILTER (WHERE claimed_at IS NOT NULL AND claim_until IS DISTINCT FROM 'infinity'),
                  count(*) FILTER (WHERE claim_until = 'infinity'),
                  min(ready_at) FILTER (WHERE claimed_at IS NULL AND ready_at <= $1)
           FROM message_queue GROUP BY account ORDER BY account""",
        db.now,
    )


async def count_paused_queues(db: Executor) -> list[AccountCount]:
    """Number of paused send queues of one cell, by account."""
    return await db.all(
        AccountCount,
        """SELECT account, count(*) FROM send_rate_buckets WHERE paused_until > $1 GROUP BY account ORDER BY account""",
        db.now,
    )


async def count_unknown(db: Executor, since: datetime) -> list[AccountCount]:
    """Messages of one cell that became unknown since then and still are, by account; by events_unknown_idx."""
    return await db.all(
        AccountCount,
        """SELECT m.account, count(*)
           FROM events e JOIN messages m ON m.id = e.resource_id AND m.org_id = e.org_id AND m.error_code = 'unknown'
           WHERE e.type = 'message.undelivered' AND e.data #>> '{error,code}' = 'unknown' AND e.created_at >= $1
           GROUP BY m.account ORDER BY m.account""",
        since,
    )


async def count_missing_receipts(db: Executor) -> list[AccountCount]:
    """Parts handed over one to ten minutes ago without a receipt, by account; by message_parts_age_idx."""
    return await db.all(
        AccountCount,
        """SELECT account, count(*) FROM message_parts
           WHERE created_at BETWEEN $1 AND $2 AND outcome IS NULL GROUP BY account ORDER BY account""",
        db.now - RECEIPT_MAX_AGE,
        db.now - RECEIPT_MIN_AGE,
    )


def _id(value: UUID) -> UUID:
    return value
