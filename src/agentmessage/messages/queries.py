"""Executor on messages as their owner sees them. Those of sending and receipts are in `delivery`."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.messages.model import Message, Status


async def find(db: Executor, org_id: UUID, message_id: UUID) -> Message | None:
    """One message; `sending` while a worker sends it to the carrier."""
    return await db.one(
        Message,
        """SELECT m.id, m.org_id, m.account, m.phone_number_id, m.campaign_id, m.brand_id, m.kind, m.sender,
                  m.recipient, m.text, m.appended_text, m.channel, m.media, m.encoding, m.segments, m.priority, m.tag,
                  m.metadata,
                  CASE WHEN d.claimed_at IS NULL OR d.claim_until = 'infinity' THEN m.status ELSE 'sending' END,
                  m.error_code, m.carrier_code, m.carrier_text, m.carrier_message_id, m.unit_price_microcents,
                  m.is_charged, m.history, m.scheduled_at, m.expires_at, m.created_at, m.updated_at, m.sent_at,
                  m.delivered_at, m.finished_at, m.redacted_at, m.is_smart
           FROM messages m LEFT JOIN message_queue d ON d.message_id = m.id
           WHERE m.org_id = $1 AND m.id = $2""",
        org_id,
        message_id,
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    status: str | None,
    sender: str | None,
    recipient: str | None,
    tag: str | None,
    limit: int,
) -> list[Message]:
    """Messages, newest first, older than a position in the list.

    Served by messages_list_idx, along which filters are applied; by messages_recipient_idx for one recipient, and from
    the queue for those that wait.
    """
    return await db.all(
        Message,
        _LIST + _narrowest(status, recipient) + " ORDER BY m.created_at DESC, m.id DESC LIMIT $8",
        org_id,
        before_at,
        before_id,
        status,
        sender,
        recipient,
        tag,
        limit,
    )


_LIST: LiteralString = """SELECT m.id, m.org_id, m.account, m.phone_number_id, m.campaign_id, m.brand_id, m.kind,
       m.sender, m.recipient, m.text, m.appended_text, m.channel, m.media, m.encoding, m.segments, m.priority, m.tag,
       m.metadata,
       CASE WHEN d.claimed_at IS NULL OR d.claim_until = 'infinity' THEN m.status ELSE 'sending' END, m.error_code,
       m.carrier_code, m.carrier_text, m.carrier_message_id, m.unit_price_microcents, m.is_charged, m.history,
       m.scheduled_at, m.expires_at, m.created_at, m.updated_at, m.sent_at, m.delivered_at, m.finished_at, m.redacted_at
FROM messages m LEFT JOIN message_queue d ON d.message_id = m.id
WHERE m.org_id = $1
  AND (m.created_at, m.id) < (coalesce($2::timestamptz, 'infinity'),
                              coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  AND ($4::text IS NULL OR $4 =
       CASE WHEN d.claimed_at IS NULL OR d.claim_until = 'infinity' THEN m.status ELSE 'sending' END)
  AND ($5::text IS NULL OR m.sender = $5)
  AND ($6::text IS NULL OR m.recipient = $6)
  AND ($7::text IS NULL OR m.tag = $7)"""

_RECIPIENT: LiteralString = " AND m.recipient = $6"
_WAITING: LiteralString = " AND d.org_id = $1"
_ANY: LiteralString = ""


def _narrowest(status: str | None, recipient: str | None) -> LiteralString:
    """The condition that finds the fewest messages. The statement treats every other filter as optional."""
    if status in (Status.QUEUED, Status.SENDING):
        return _WAITING
    return _RECIPIENT if recipient is not None else _ANY


async def lock_dispatch(tx: Executor, org_id: UUID, message_id: UUID) -> bool:
    """Keep a queued message from being claimed until the commit. False: it is claimed, or no longer queued."""
    return bool(
        await tx.value(
            """SELECT true FROM message_queue
               WHERE org_id = $1 AND message_id = $2 AND (claimed_at IS NULL OR claim_until = 'infinity') FOR UPDATE""",
            org_id,
            message_id,
        )
    )


async def list_pairs(tx: Executor, org_id: UUID, phone_number_ids: Sequence[UUID], recipient: str) -> list[UUID]:
    """Lock the messages from some numbers to one contact that no worker has claimed; by message_queue_pair_idx."""
    return await tx.all(
        _id,
        """SELECT message_id FROM message_queue
           WHERE org_id = $1 AND phone_number_id = ANY ($2) AND recipient = $3
             AND (claimed_at IS NULL OR claim_until = 'infinity') AND kind <> 'auto_reply'
           ORDER BY message_id FOR UPDATE""",
        org_id,
        phone_number_ids,
        recipient,
    )


async def cancel(tx: Executor, org_id: UUID, message_ids: Sequence[UUID], *, cause: str) -> list[Message]:
    """Remove messages from the queue, and free what was held for them. The caller has locked their queue entries."""
    return await tx.all(
        Message,
        """WITH gone AS (
               DELETE FROM message_queue WHERE org_id = $1 AND message_id = ANY ($2)
                 AND (claimed_at IS NULL OR claim_until = 'infinity')
               RETURNING message_id, price_microcents),
           freed AS (
               UPDATE wallets SET settled_microcents = settled_microcents
                   + (SELECT coalesce(sum(price_microcents), 0) FROM gone)::bigint
               WHERE org_id = $1 AND EXISTS (SELECT FROM gone))
           UPDATE messages m SET status = 'canceled', updated_at = $3, finished_at = $3,
               history = history || jsonb_build_array(jsonb_build_object('at', $3::timestamptz, 'status', 'canceled',
                   'cause', $4::text, 'code', NULL, 'text', NULL))
           FROM gone WHERE m.org_id = $1 AND m.id = gone.message_id
           RETURNING m.id, m.org_id, m.account, m.phone_number_id, m.campaign_id, m.brand_id, m.kind, m.sender,
                     m.recipient, m.text, m.appended_text, m.channel, m.media, m.encoding, m.segments, m.priority,
                     m.tag, m.metadata, m.status, m.error_code, m.carrier_code, m.carrier_text, m.carrier_message_id,
                     m.unit_price_microcents, m.is_charged, m.history, m.scheduled_at, m.expires_at, m.created_at,
                     m.updated_at, m.sent_at, m.delivered_at, m.finished_at, m.redacted_at, m.is_smart""",
        org_id,
        message_ids,
        tx.now,
        cause,
    )


def _id(value: UUID) -> UUID:
    """A row of one column."""
    return value
