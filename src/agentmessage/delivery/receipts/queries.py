"""Statements on receipts: the parts that they name, and those that nobody knows yet. They go by the carrier's ids."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.delivery.model import Claim
from agentmessage.kernel.db import Executor


class Part(Struct, frozen=True):
    """One part that the carrier took, and its text as it stands."""

    carrier_message_id: str
    outcome: str | None
    parts: int
    message_id: UUID
    org_id: UUID
    phone_number_id: UUID
    sender: str
    recipient: str
    status: str
    error: str | None
    is_charged: bool


async def lock_parts(tx: Executor, account: str, carrier: str, carrier_ids: Sequence[str]) -> list[Part]:
    """The parts with these ids, their texts kept from moving until the commit; in the order of the texts' ids."""
    return await tx.all(
        Part,
        """SELECT p.carrier_message_id, p.outcome, p.parts, m.id, m.org_id, m.phone_number_id, m.sender, m.recipient,
                  m.status, m.error_code, m.is_charged
           FROM message_parts p JOIN messages m ON m.id = p.message_id AND m.org_id = p.org_id
           WHERE p.account = $1 AND p.carrier = $2 AND p.carrier_message_id = ANY ($3)
           ORDER BY m.id FOR NO KEY UPDATE OF m""",
        account,
        carrier,
        carrier_ids,
    )


async def link(tx: Executor, account: str, carrier: str, heard: Sequence[ReceiptHeard]) -> int:
    """Make parts of receipts that name our own text, where the carrier's answer never came; answers how many."""
    return await tx.run(
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           SELECT $1, $2, h.carrier_id, m.id, m.org_id, 1, 1, $3
           FROM unnest($4::text[], $5::uuid[]) h (carrier_id, message_id)
           JOIN messages m ON m.id = h.message_id AND m.account = $1 AND m.status = 'undelivered'
                          AND m.error_code = 'unknown'
           ON CONFLICT DO NOTHING""",
        account,
        carrier,
        tx.now,
        [one.carrier_message_id for one in heard],
        [one.message_id for one in heard],
    )


async def set_outcome(tx: Executor, account: str, carrier: str, carrier_ids: Sequence[str], outcome: str) -> None:
    """What became of parts; their texts are locked. One outcome a statement: without a join it has but one plan."""
    await tx.run(
        """UPDATE message_parts SET outcome = $4
           WHERE account = $1 AND carrier = $2 AND carrier_message_id = ANY ($3)""",
        account,
        carrier,
        carrier_ids,
        outcome,
    )


async def list_outcomes(tx: Executor, message_ids: Sequence[UUID]) -> list[tuple[UUID, str | None]]:
    """What is known of every part of these texts; served by message_parts_message_idx."""
    return await tx.all(
        _outcome, "SELECT message_id, outcome FROM message_parts WHERE message_id = ANY ($1)", message_ids
    )


async def list_claims(tx: Executor, message_ids: Sequence[UUID]) -> list[Claim]:
    """Texts that turn out to have been taken by the carrier, as they were handed over."""
    return await tx.all(
        Claim,
        """SELECT id, org_id, phone_number_id, coalesce(campaign_id, phone_number_id), brand_id, kind, sender,
                  recipient, coalesce(text, '') || coalesce(appended_text, ''), media, channel, segments, priority,
                  unit_price_microcents * segments, expires_at, 0
           FROM messages WHERE id = ANY ($1)""",
        message_ids,
    )


BLIND = timedelta(minutes=10)
"""Far longer than two transactions overlap."""


async def keep_early(tx: Executor, account: str, heard: Sequence[ReceiptHeard], ids: Sequence[UUID]) -> None:
    """Keep receipts whose part is not known, or not known yet; `ids` are ours, the same in every cell."""
    await tx.run(
        """INSERT INTO unmatched_receipts (id, account, carrier, carrier_message_id, message_id, status, error_code,
               carrier_code, raw, happened_at, received_at, sender, pair, excerpt, submitted_at)
           SELECT e.id, $1, e.carrier, e.carrier_id, e.message_id, e.status, e.error, e.code, e.raw, e.happened_at, $2,
                  e.sender, e.pair, e.excerpt, e.submitted_at
           FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
                       $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::timestamptz[])
                e (id, carrier, carrier_id, message_id, status, error, code, raw, happened_at, sender, pair, excerpt,
                   submitted_at)""",
        account,
        tx.now,
        ids,
        [one.carrier for one in heard],
        [one.carrier_message_id for one in heard],
        [one.message_id for one in heard],
        [one.state.value for one in heard],
        [None if one.error is None else one.error.value for one in heard],
        [one.code for one in heard],
        [one.raw for one in heard],
        [one.happened_at for one in heard],
        [one.sender for one in heard],
        [one.pair for one in heard],
        [one.excerpt for one in heard],
        [one.submitted_at for one in heard],
    )


async def take_early(
    tx: Executor, account: str, carrier: str, carrier_ids: Sequence[str], message_ids: Sequence[UUID]
) -> list[ReceiptHeard]:
    """Receipts that came before their parts were recorded; they are in the caller's hands now."""
    return await tx.all(
        _receipt,
        """DELETE FROM unmatched_receipts
           WHERE account = $1 AND carrier = $2 AND (carrier_message_id = ANY ($3) OR message_id = ANY ($4))
           RETURNING carrier, carrier_message_id, message_id, status, error_code, carrier_code, happened_at, raw,
                     sender, pair, excerpt, submitted_at""",
        account,
        carrier,
        carrier_ids,
        message_ids,
    )


async def take_matched(tx: Executor, account: str, *, limit: int) -> list[ReceiptHeard]:
    """Receipts that were kept while their parts were being recorded: each transaction was blind to the other.

    Only late ones can be: recording a part takes what was there before. A part that has ended is not the one that a
    kept receipt waits for. By unmatched_receipts_age_idx.
    """
    return await tx.all(
        _receipt,
        """DELETE FROM unmatched_receipts WHERE id IN (
               SELECT e.id FROM unmatched_receipts e
               JOIN message_parts p ON p.account = e.account AND p.carrier = e.carrier
                                   AND p.carrier_message_id = e.carrier_message_id AND p.outcome IS NULL
               WHERE e.account = $1 AND e.received_at > $3 LIMIT $2 FOR UPDATE OF e SKIP LOCKED)
           RETURNING carrier, carrier_message_id, message_id, status, error_code, carrier_code, happened_at, raw,
                     sender, pair, excerpt, submitted_at""",
        account,
        limit,
        tx.now - BLIND,
    )


async def list_silent(
    db: Executor, account: str, *, since: datetime, after: UUID, until: datetime, limit: int
) -> list[tuple[UUID, datetime]]:
    """Text and time of parts of that age without any receipt, in order; served by message_parts_age_idx."""
    return await db.all(
        _silent,
        """SELECT message_id, created_at FROM message_parts
           WHERE account = $1 AND created_at >= $2 AND created_at < $4 AND (created_at, message_id) > ($2, $3)
             AND outcome IS NULL
           ORDER BY created_at, message_id LIMIT $5""",
        account,
        since,
        after,
        until,
        limit,
    )


async def lock_sent(tx: Executor, message_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Those of these texts that still wait for a receipt, with their organizations, kept from moving."""
    return await tx.all(
        _owned,
        "SELECT id, org_id FROM messages WHERE id = ANY ($1) AND status = 'sent' ORDER BY id FOR NO KEY UPDATE",
        message_ids,
    )


async def forget_parts(db: Executor, before: datetime) -> int:
    """Forget parts whose receipts cannot come any more, at most 10,000 at a time; by message_parts_age_idx."""
    return await db.run(
        """DELETE FROM message_parts WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM message_parts WHERE created_at < $1 LIMIT 10000))""",
        before,
    )


async def forget_early(db: Executor, before: datetime) -> int:
    """Forget receipts that nobody ever claimed, at most 10,000 at a time; by unmatched_receipts_age_idx."""
    return await db.run(
        """DELETE FROM unmatched_receipts WHERE id IN (
               SELECT id FROM unmatched_receipts WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )


def _receipt(*columns: Any) -> ReceiptHeard:
    """The columns of unmatched_receipts, in the order of the statements above."""
    carrier, carrier_message_id, message_id, status, error, code, happened_at, raw = columns[:8]
    sender, pair, excerpt, submitted_at = columns[8:]
    return ReceiptHeard(
        carrier=carrier,
        carrier_message_id=carrier_message_id,
        message_id=message_id,
        state=ReceiptState(status),
        error=None if error is None else TextError(error),
        code=code,
        happened_at=happened_at,
        raw=raw,
        sender=sender,
        pair=pair,
        excerpt=excerpt,
        submitted_at=submitted_at,
    )


def _outcome(message_id: UUID, outcome: str | None) -> tuple[UUID, str | None]:
    return message_id, outcome


def _silent(message_id: UUID, at: datetime) -> tuple[UUID, datetime]:
    return message_id, at


def _owned(message_id: UUID, org_id: UUID) -> tuple[UUID, UUID]:
    return message_id, org_id
