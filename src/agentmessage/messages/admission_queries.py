"""Write a flush in one statement: messages, queue entries, what they use up, and the responses of their keys."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.compliance.model import ContactHistory
from agentmessage.kernel.db import Executor
from agentmessage.messages.model import Message
from agentmessage.messages.replays import Response


class Admitted(Struct, frozen=True):
    """One message to be written, and what its admission changes.

    `queue_id` is its campaign, or its number if it has none. `history` is that of its contact; None: nothing is new.
    """

    message: Message
    queue_id: UUID
    ready_at: datetime
    history: ContactHistory | None


class AccountUpdate(Struct, frozen=True):
    """What a flush leaves of an organization's allowance; the version that it was judged by, and its next one."""

    org_id: UUID
    version: int | None
    next_version: int
    admitted_microcents: int
    second_tokens: float
    minute_tokens: float


_json = msgspec.json.Encoder().encode
_columns = attrgetter(
    *("id", "org_id", "account", "phone_number_id", "campaign_id", "brand_id", "kind", "sender", "recipient", "text"),
    *("appended_text", "channel", "media", "encoding", "segments", "priority", "tag", "unit_price_microcents"),
    *("scheduled_at", "expires_at", "is_smart"),
)
"""The first columns of the type `admitted_message`."""

LOCK_ONE_ACCOUNT: LiteralString = """WITH spent AS (
           UPDATE send_accounts SET state_version = $8, admitted_microcents = admitted_microcents + $5,
               second_tokens = $6, minute_tokens = $7, refilled_at = $1
           WHERE org_id = $3 AND state_version = $4 RETURNING org_id),"""
LOCK_MANY_ACCOUNTS: LiteralString = """WITH held AS MATERIALIZED (
           SELECT a.org_id, x.admitted, x.second_tokens, x.minute_tokens, x.next_version
           FROM send_accounts a
           JOIN unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[], $8::bigint[])
                x (org_id, state_version, admitted, second_tokens, minute_tokens, next_version)
             ON x.org_id = a.org_id AND x.state_version = a.state_version
           ORDER BY a.org_id FOR UPDATE OF a),
       spent AS (
           UPDATE send_accounts a SET state_version = h.next_version,
               admitted_microcents = a.admitted_microcents + h.admitted, second_tokens = h.second_tokens,
               minute_tokens = h.minute_tokens, refilled_at = $1
           FROM held h WHERE a.org_id = h.org_id RETURNING a.org_id),"""
INSERT_MESSAGES: LiteralString = """
       given AS (SELECT g.* FROM spent s JOIN unnest($2::admitted_message[]) g ON g.org_id = s.org_id),
       recorded AS (
           INSERT INTO contact_send_history (org_id, contact_number, history)
           SELECT org_id, recipient, history::json FROM given WHERE history IS NOT NULL
           ON CONFLICT (org_id, contact_number) DO UPDATE SET history = excluded.history),
       answered AS (
           INSERT INTO idempotency_keys (org_id, key, fingerprint, status, headers, body, created_at)
           SELECT r.org_id, r.key, r.fingerprint, 202, '{}'::jsonb, r.body, $1
           FROM spent s JOIN unnest($9::uuid[], $10::text[], $11::bytea[], $12::bytea[])
                r (org_id, key, fingerprint, body) ON r.org_id = s.org_id),
       queued AS (
           INSERT INTO message_queue (message_id, org_id, account, phone_number_id, queue_id, brand_id, recipient,
               kind, channel, segments, priority, price_microcents, ready_at, expires_at)
           SELECT id, org_id, account, phone_number_id, queue_id, brand_id, recipient, kind, channel, segments,
                  priority, unit_price_microcents * segments, ready_at, expires_at FROM given),
       stored AS (
           INSERT INTO messages (id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender,
               recipient, text, appended_text, channel, media, encoding, segments, priority, tag, metadata, status,
               unit_price_microcents, scheduled_at, expires_at, created_at, updated_at, is_smart)
           SELECT id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender, recipient, text,
                  appended_text, channel, media, encoding, segments, priority, tag, metadata::jsonb, 'queued',
                  unit_price_microcents, scheduled_at, expires_at, $1, $1, is_smart FROM given)
       SELECT org_id FROM spent"""

ADMISSION_OF_ONE: LiteralString = LOCK_ONE_ACCOUNT + INSERT_MESSAGES
ADMISSION_OF_MANY: LiteralString = LOCK_MANY_ACCOUNTS + INSERT_MESSAGES


async def insert(
    db: Executor,
    admitted: Sequence[Admitted],
    updates: Sequence[AccountUpdate],
    responses: Sequence[Response],
    now: datetime,
) -> set[UUID]:
    """Write a flush for the organizations that are still at the version of their update; returns their ids.

    A transaction that changes an organization holds its row: `spent` waits for it, and then finds another version.
    Several rows are locked in the order of their ids, as everywhere. A key that another request has taken since it
    was looked up raises kernel.db.UniqueViolation, and nothing is written.
    """
    messages, keys = _rows(admitted), _key_columns(responses)
    if len(updates) == 1:
        (update,) = updates
        columns: Sequence[Any] = (
            update.org_id,
            update.version,
            update.admitted_microcents,
            update.second_tokens,
            update.minute_tokens,
            update.next_version,
        )
        return set(await db.all(_same, ADMISSION_OF_ONE, now, messages, *columns, *keys))
    columns = (
        [update.org_id for update in updates],
        [update.version for update in updates],
        [update.admitted_microcents for update in updates],
        [update.second_tokens for update in updates],
        [update.minute_tokens for update in updates],
        [update.next_version for update in updates],
    )
    return set(await db.all(_same, ADMISSION_OF_MANY, now, messages, *columns, *keys))


def _key_columns(responses: Sequence[Response]) -> Sequence[Sequence[object]]:
    return (
        [response.org_id for response in responses],
        [response.claim.value for response in responses],
        [response.claim.fingerprint for response in responses],
        [response.body for response in responses],
    )


def _same(org_id: UUID) -> UUID:
    return org_id


def _rows(admitted: Sequence[Admitted]) -> list[tuple[Any, ...]]:
    """The messages as `admitted_message`. Messages to one contact share a history, which is written once."""
    rows: list[tuple[Any, ...]] = []
    written: set[int] = set()
    for row in admitted:
        history = None
        if row.history is not None and id(row.history) not in written:
            written.add(id(row.history))
            history = _json(row.history).decode()
        metadata = None if row.message.metadata is None else _json(row.message.metadata).decode()
        rows.append((*_columns(row.message), metadata, row.queue_id, row.ready_at, history))
    return rows
