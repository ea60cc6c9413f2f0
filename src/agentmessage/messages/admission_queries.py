"""Writing what was admitted: all texts of a flush, their place in the queue and what they use up, in one statement."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.kernel.db import Statements
from agentmessage.law.model import Memory
from agentmessage.messages.model import Message


class Admitted(Struct, frozen=True):
    """One text to be written, and what its admission changes.

    `lane` is the campaign that paces it. `memory` is what is remembered of its contact, None where nothing is new.
    """

    message: Message
    lane: UUID
    ready_at: datetime
    memory: Memory | None


class Spending(Struct, frozen=True):
    """An organization's purse after the flush, the version that it was opened at, and the one that it gets."""

    org_id: UUID
    version: int | None
    next_version: int
    admitted_microcents: int
    second_tokens: float
    minute_tokens: float


_json = msgspec.json.Encoder().encode
_columns = attrgetter(
    *("id", "org_id", "account", "phone_number_id", "campaign_id", "brand_id", "kind", "sender", "recipient", "text"),
    *("stamp", "channel", "media", "encoding", "segments", "priority", "tag", "unit_price_microcents"),
    *("scheduled_at", "expires_at", "is_smart"),
)
"""What `admitted_text` begins with."""

ONE: LiteralString = """WITH spent AS (
           UPDATE sending_accounts SET version = $8, admitted_microcents = admitted_microcents + $5,
               second_tokens = $6, minute_tokens = $7, refilled_at = $1
           WHERE org_id = $3 AND version = $4 RETURNING org_id),"""
MANY: LiteralString = """WITH held AS MATERIALIZED (
           SELECT a.org_id, x.admitted, x.second_tokens, x.minute_tokens, x.next_version
           FROM sending_accounts a
           JOIN unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[], $8::bigint[])
                x (org_id, version, admitted, second_tokens, minute_tokens, next_version)
             ON x.org_id = a.org_id AND x.version = a.version
           ORDER BY a.org_id FOR UPDATE OF a),
       spent AS (
           UPDATE sending_accounts a SET version = h.next_version,
               admitted_microcents = a.admitted_microcents + h.admitted, second_tokens = h.second_tokens,
               minute_tokens = h.minute_tokens, refilled_at = $1
           FROM held h WHERE a.org_id = h.org_id RETURNING a.org_id),"""
TEXTS: LiteralString = """
       given AS (SELECT g.* FROM spent s JOIN unnest($2::admitted_text[]) g ON g.org_id = s.org_id),
       remembered AS (
           INSERT INTO texted_contacts (org_id, contact_number, memory)
           SELECT org_id, recipient, memory::json FROM given WHERE memory IS NOT NULL
           ON CONFLICT (org_id, contact_number) DO UPDATE SET memory = excluded.memory),
       queued AS (
           INSERT INTO dispatches (message_id, org_id, account, phone_number_id, campaign_id, brand_id, recipient,
               kind, channel, segments, priority, price_microcents, ready_at, expires_at)
           SELECT id, org_id, account, phone_number_id, lane, brand_id, recipient, kind, channel, segments,
                  priority, unit_price_microcents * segments, ready_at, expires_at FROM given),
       stored AS (
           INSERT INTO messages (id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender,
               recipient, text, stamp, channel, media, encoding, segments, priority, tag, metadata, status,
               unit_price_microcents, scheduled_at, expires_at, created_at, updated_at, is_smart)
           SELECT id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender, recipient, text, stamp,
                  channel, media, encoding, segments, priority, tag, metadata::jsonb, 'queued',
                  unit_price_microcents, scheduled_at, expires_at, $1, $1, is_smart FROM given)
       SELECT org_id FROM spent"""

ADMISSION_OF_ONE: LiteralString = ONE + TEXTS
ADMISSION_OF_MANY: LiteralString = MANY + TEXTS


async def insert(
    db: Statements, admitted: Sequence[Admitted], spending: Sequence[Spending], now: datetime
) -> set[UUID]:
    """Write what was admitted for the organizations whose version is still that of their spending; answers which.

    Whoever changes an organization meanwhile holds its row: `spent` waits for it, and then finds another version.
    Several rows are locked in the order of their ids, as everywhere.
    """
    texts = _rows(admitted)
    if len(spending) == 1:
        (one,) = spending
        columns: Sequence[Any] = (
            one.org_id,
            one.version,
            one.admitted_microcents,
            one.second_tokens,
            one.minute_tokens,
            one.next_version,
        )
        return set(await db.all(_same, ADMISSION_OF_ONE, now, texts, *columns))
    columns = (
        [one.org_id for one in spending],
        [one.version for one in spending],
        [one.admitted_microcents for one in spending],
        [one.second_tokens for one in spending],
        [one.minute_tokens for one in spending],
        [one.next_version for one in spending],
    )
    return set(await db.all(_same, ADMISSION_OF_MANY, now, texts, *columns))


def _same(org_id: UUID) -> UUID:
    return org_id


def _rows(admitted: Sequence[Admitted]) -> list[tuple[Any, ...]]:
    """The texts as `admitted_text`. Texts to one contact share a memory, which is written once."""
    rows: list[tuple[Any, ...]] = []
    written: set[int] = set()
    for one in admitted:
        memory = None
        if one.memory is not None and id(one.memory) not in written:
            written.add(id(one.memory))
            memory = _json(one.memory).decode()
        metadata = one.message.metadata
        told = None if metadata is None else _json(metadata).decode()
        rows.append((*_columns(one.message), told, one.lane, one.ready_at, memory))
    return rows
