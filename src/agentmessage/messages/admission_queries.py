"""Writing what was admitted: all texts of a flush, their place in the queue and what they use up, in one statement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.kernel.db import Statements
from agentmessage.messages.model import Message


class Admitted(Struct, frozen=True):
    """One text to be written, and what its admission changes.

    `lane` is the campaign that paces it. `texted_at` is the new list of the counter of `cap_scope_id`; None: no cap.
    `stamps` is the consent whose disclosure was appended just now.
    """

    message: Message
    lane: UUID
    ready_at: datetime
    cap_scope_id: UUID | None
    texted_at: Sequence[int] | None
    stamps: UUID | None


class Spending(Struct, frozen=True):
    """An organization's purse after the flush, and the version that it was opened at."""

    org_id: UUID
    version: int | None
    admitted_microcents: int
    second_tokens: float
    minute_tokens: float


_json = msgspec.json.Encoder().encode


ADMISSION: LiteralString = """WITH held AS MATERIALIZED (
           SELECT a.org_id, x.admitted, x.second_tokens, x.minute_tokens
           FROM sending_accounts a
           JOIN unnest($2::uuid[], $35::bigint[], $3::bigint[], $4::float8[], $5::float8[])
                x (org_id, version, admitted, second_tokens, minute_tokens)
             ON x.org_id = a.org_id AND x.version = a.version
           ORDER BY a.org_id FOR UPDATE OF a),
       spent AS (
           UPDATE sending_accounts a SET version = a.version + 1,
               admitted_microcents = a.admitted_microcents + h.admitted, second_tokens = h.second_tokens,
               minute_tokens = h.minute_tokens, refilled_at = $1
           FROM held h WHERE a.org_id = h.org_id RETURNING a.org_id),
       given AS (
           SELECT * FROM unnest(
               $6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::text[],
               $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::int[], $21::int[],
               $22::text[], $23::text[], $24::bigint[], $25::timestamptz[], $26::timestamptz[], $27::uuid[],
               $28::timestamptz[], $36::boolean[])
           g (id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender, recipient, text, stamp,
              channel, media, encoding, segments, priority, tag, metadata, price, scheduled_at, expires_at, lane,
              ready_at, is_smart)
           WHERE org_id IN (SELECT org_id FROM spent)),
       counted AS (
           INSERT INTO frequency_counters AS c (org_id, contact_number, scope_id, texted_at)
           SELECT org_id, contact, scope_id, texted_at::bigint[]
           FROM unnest($29::uuid[], $30::text[], $31::uuid[], $32::text[]) f (org_id, contact, scope_id, texted_at)
           WHERE org_id IN (SELECT org_id FROM spent)
           ON CONFLICT (org_id, contact_number, scope_id) DO UPDATE SET texted_at = excluded.texted_at),
       stamped AS (
           UPDATE consents s SET stamped_at = $1
           FROM unnest($33::uuid[], $34::uuid[]) z (id, org_id)
           WHERE s.id = z.id AND s.org_id = z.org_id AND z.org_id IN (SELECT org_id FROM spent)),
       queued AS (
           INSERT INTO dispatches (message_id, org_id, account, phone_number_id, campaign_id, brand_id, recipient,
               kind, channel, segments, priority, price_microcents, ready_at, expires_at)
           SELECT id, org_id, account, phone_number_id, lane, brand_id, recipient, kind, channel, segments,
                  priority, price * segments, ready_at, expires_at FROM given),
       stored AS (
           INSERT INTO messages (id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender,
               recipient, text, stamp, channel, media, encoding, segments, priority, tag, metadata, status,
               unit_price_microcents, scheduled_at, expires_at, created_at, updated_at, is_smart)
           SELECT id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender, recipient, text, stamp,
                  channel, media::text[], encoding, segments, priority, tag, metadata::jsonb, 'queued', price,
                  scheduled_at, expires_at, $1, $1, is_smart FROM given)
       SELECT org_id FROM spent"""


async def insert(
    db: Statements, admitted: Sequence[Admitted], spending: Sequence[Spending], now: datetime
) -> set[UUID]:
    """Write what was admitted for the organizations whose version is still that of their spending; answers which.

    Whoever changes an organization meanwhile holds its row: `held` waits, and then finds another version. The rows are
    locked in the order of their ids, as everywhere.
    """
    texts = [one.message for one in admitted]
    written = await db.all(
        _same,
        ADMISSION,
        now,
        [one.org_id for one in spending],
        [one.admitted_microcents for one in spending],
        [one.second_tokens for one in spending],
        [one.minute_tokens for one in spending],
        [text.id for text in texts],
        [text.org_id for text in texts],
        [text.account for text in texts],
        [text.phone_number_id for text in texts],
        [text.campaign_id for text in texts],
        [text.brand_id for text in texts],
        [text.kind for text in texts],
        [text.sender for text in texts],
        [text.recipient for text in texts],
        [text.text for text in texts],
        [text.stamp for text in texts],
        [text.channel for text in texts],
        [_array(text.media) for text in texts],
        [text.encoding for text in texts],
        [text.segments for text in texts],
        [text.priority for text in texts],
        [text.tag for text in texts],
        [None if text.metadata is None else _json(text.metadata).decode() for text in texts],
        [text.unit_price_microcents for text in texts],
        [text.scheduled_at for text in texts],
        [text.expires_at for text in texts],
        [one.lane for one in admitted],
        [one.ready_at for one in admitted],
        *_counters(admitted),
        [one.stamps for one in admitted if one.stamps],
        [one.message.org_id for one in admitted if one.stamps],
        [one.version for one in spending],
        [text.is_smart for text in texts],
    )
    return set(written)


def _same(org_id: UUID) -> UUID:
    return org_id


def _counters(admitted: Sequence[Admitted]) -> tuple[list[UUID], list[str], list[UUID], list[str]]:
    """The newest list of each counter: texts to one contact in one flush build on each other."""
    newest = {
        (one.message.org_id, one.message.recipient, one.cap_scope_id): one.texted_at
        for one in admitted
        if one.cap_scope_id is not None
    }
    return (
        [org_id for org_id, _, _ in newest],
        [contact for _, contact, _ in newest],
        [scope_id for _, _, scope_id in newest],
        [_array(map(str, moments or ())) for moments in newest.values()],
    )


def _array(items: Iterable[str]) -> str:
    """A Postgres array literal: an array of arrays of different lengths cannot be a parameter."""
    quoted = ['"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items]
    return "{" + ",".join(quoted) + "}"
