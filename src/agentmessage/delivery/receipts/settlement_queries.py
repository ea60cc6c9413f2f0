"""Executor on messages without an id and receipts without a message. They go by carrier account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.delivery.receipts.settlement_rules import Kept, Unnamed
from agentmessage.kernel.db import Executor
from agentmessage.messages.model import displayed_text


async def note_unnamed(
    tx: Executor,
    account: str,
    carrier: str,
    message_ids: Sequence[UUID],
    *,
    org_ids: Sequence[UUID],
    pairs: Sequence[str],
    submitted_at: Sequence[datetime],
) -> None:
    """Remember messages that the carrier has or may have under an id that nobody knows."""
    await tx.run(
        """INSERT INTO messages_without_carrier_id (message_id, org_id, account, carrier, pair, submitted_at,
               recorded_at)
           SELECT u.message_id, u.org_id, $1, $2, u.pair, u.submitted_at, $3
           FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[]) u (message_id, org_id, pair, submitted_at)
           ON CONFLICT (message_id) DO UPDATE
           SET submitted_at = excluded.submitted_at, recorded_at = excluded.recorded_at""",
        account,
        carrier,
        tx.now,
        message_ids,
        org_ids,
        pairs,
        submitted_at,
    )


async def list_pairs(
    db: Executor, account: str, *, kept_before: datetime, limit: int
) -> list[tuple[str, Kept, Unnamed]]:
    """Final receipts and messages between the same two numbers, by those; by unmatched_receipts_pair_idx.

    Not while another message between them is being handed over: the receipt may be its own.
    """
    return await db.all(
        _pair,
        """SELECT e.id, e.carrier, e.carrier_message_id, e.status, e.error_code, e.carrier_code, e.happened_at, e.raw,
                  e.sender, e.pair, e.excerpt, e.submitted_at,
                  m.id, m.org_id, u.submitted_at, m.text, m.appended_text, m.is_smart
           FROM (SELECT * FROM messages_without_carrier_id WHERE account = $1 ORDER BY recorded_at DESC LIMIT $4) u
           JOIN unmatched_receipts e ON e.account = u.account AND e.carrier = u.carrier AND e.pair = u.pair
                                AND e.pair <> '' AND e.status <> 'sent' AND e.received_at <= $2
           JOIN messages m ON m.id = u.message_id AND m.org_id = u.org_id
                          AND (m.status = 'sent' OR m.error_code = ANY ($3))
           WHERE NOT EXISTS (SELECT FROM message_queue d
                             WHERE d.org_id = m.org_id AND d.phone_number_id = m.phone_number_id
                               AND d.recipient = m.recipient AND d.claimed_at IS NOT NULL)
           ORDER BY e.pair, e.id, m.id""",
        account,
        kept_before,
        [TextError.UNKNOWN.value, TextError.RECEIPT_TIMEOUT.value],
        limit,
    )


async def take_kept(tx: Executor, kept_ids: Sequence[UUID]) -> list[UUID]:
    """Take kept receipts into the caller's hands; returns those that were still there."""
    return await tx.all(_id, "DELETE FROM unmatched_receipts WHERE id = ANY ($1) RETURNING id", kept_ids)


async def name_part(
    tx: Executor, account: str, carrier: str, message: Unnamed, *, unnamed: Sequence[str], part: int, name: str
) -> None:
    """Give a part the id of its receipt. `unnamed` are the ids of ours that the other parts keep."""
    await tx.run(
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           SELECT $1, $2, u.id, $3, $4, u.part, $5, $6
           FROM unnest($7::text[]) WITH ORDINALITY u (id, part)
           WHERE NOT EXISTS (SELECT FROM message_parts c WHERE c.message_id = $3 AND c.part = u.part)
           ON CONFLICT DO NOTHING""",
        account,
        carrier,
        message.message_id,
        message.org_id,
        len(unnamed),
        tx.now,
        unnamed,
    )
    await tx.run(
        """UPDATE message_parts SET carrier_message_id = $3
           WHERE account = $1 AND carrier = $2 AND carrier_message_id = $4
             AND NOT EXISTS (SELECT FROM message_parts
                             WHERE account = $1 AND carrier = $2 AND carrier_message_id = $3)""",
        account,
        carrier,
        name,
        unnamed[part - 1],
    )


async def delete_unnamed(tx: Executor, message_id: UUID) -> None:
    """The message's receipts have an id now."""
    await tx.run("DELETE FROM messages_without_carrier_id WHERE message_id = $1", message_id)


async def forget_unnamed(db: Executor, before: datetime) -> int:
    """Forget messages whose receipts cannot come any more, at most 10,000 at a time."""
    return await db.run(
        """DELETE FROM messages_without_carrier_id WHERE message_id IN (
               SELECT message_id FROM messages_without_carrier_id WHERE recorded_at < $1
               ORDER BY recorded_at LIMIT 10000)""",
        before,
    )


def _pair(*columns: Any) -> tuple[str, Kept, Unnamed]:
    kept_id, carrier, carrier_id, status, error, code, happened_at, raw, sender, pair, excerpt, carrier_submitted_at = (
        columns[:12]
    )
    message_id, org_id, submitted_at, text, appended_text, is_smart = columns[12:]
    receipt = ReceiptHeard(
        carrier=carrier,
        carrier_message_id=carrier_id,
        state=ReceiptState(status),
        error=None if error is None else TextError(error),
        code=code,
        happened_at=happened_at,
        raw=raw,
        sender=sender,
        pair=pair,
        excerpt=excerpt,
        submitted_at=carrier_submitted_at,
    )
    words = displayed_text(text, appended_text, is_smart=is_smart)
    return pair, Kept(kept_id, receipt), Unnamed(message_id, org_id, submitted_at, words)


def _id(value: UUID) -> UUID:
    return value
