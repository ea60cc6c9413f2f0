"""Texts that were said, in both directions, as they lie in the database: with their events and conversations."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id

OUR_NUMBER = "+14155550100"
SECRET = "the secret that was said"
PICTURE = "https://customer.example/secret.png"


class Said(Struct, frozen=True):
    """One text and when it was said."""

    id: UUID
    is_inbound: bool
    age: timedelta


async def say(
    db: CellDb,
    org_id: UUID,
    number_id: UUID,
    *,
    contact: str,
    age: timedelta = timedelta(0),
    is_inbound: bool = False,
    with_media: bool = False,
    with_text: bool = True,
    was_sent: bool = True,
    with_labels: bool = False,
) -> Said:
    """One text with its event; one that was exchanged is the last of its conversation."""
    text_id, at = new_id(), db.now - age
    text = SECRET if with_text else None
    media = [PICTURE] if with_media else []
    if is_inbound:
        await _insert_inbound(db, org_id, number_id, text_id, contact, at, text, media)
    else:
        await _insert_outbound(db, org_id, number_id, text_id, contact, at, text, media)
    family = "inbound_message" if is_inbound else "message"
    labels = {"tag": SECRET, "metadata": {"note": SECRET}} if with_labels else {}
    if with_labels:
        await db.run("UPDATE messages SET tag = $2, metadata = $3 WHERE id = $1", text_id, *labels.values())
    data = {"id": str(text_id), "redacted_at": None, **labels} | (
        {"body": text, "media_urls": media} if is_inbound else {"text": text, "media": media}
    )
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        new_id(),
        org_id,
        f"{family}.{'received' if is_inbound else 'sent'}",
        family,
        text_id,
        data,
        at,
    )
    if is_inbound or was_sent:
        await _converse(db, org_id, number_id, text_id, contact, at, is_inbound=is_inbound)
    return Said(text_id, is_inbound, age)


async def queue(db: CellDb, org_id: UUID, message_id: UUID, *, is_claimed: bool = False) -> None:
    """Let a text wait to be sent."""
    await db.run(
        """INSERT INTO message_queue (message_id, org_id, account, phone_number_id, queue_id, recipient, kind,
               channel, segments, priority, price_microcents, ready_at, expires_at, claimed_at, claim_token,
               claim_until)
           SELECT id, org_id, account, phone_number_id, phone_number_id, recipient, kind, channel, segments, priority,
                  unit_price_microcents, created_at, expires_at, $3::timestamptz,
                  CASE WHEN $3 IS NOT NULL THEN id END, $3
           FROM messages WHERE org_id = $1 AND id = $2""",
        org_id,
        message_id,
        db.now if is_claimed else None,
    )
    await db.run(
        "UPDATE messages SET status = 'queued', sent_at = NULL, finished_at = NULL WHERE org_id = $1 AND id = $2",
        org_id,
        message_id,
    )


async def content(db: CellDb, said: Said) -> tuple[Any, ...]:
    """Text, media and redaction time of one, and what its events say of text and media."""
    found = await db.one(
        _row,
        """SELECT text, media, redacted_at IS NOT NULL FROM messages WHERE id = $1
           UNION ALL SELECT body, media_urls, redacted_at IS NOT NULL FROM inbound_messages WHERE id = $1""",
        said.id,
    )
    assert found is not None
    events = await db.all(lambda data: data, "SELECT data FROM events WHERE resource_id = $1", said.id)
    text, media = ("body", "media_urls") if said.is_inbound else ("text", "media")
    assert [(event[text], event[media], event["redacted_at"] is not None) for event in events] == [found] * len(events)
    return found


def _row(*columns: Any) -> tuple[Any, ...]:
    return columns


async def _insert_outbound(  # noqa: PLR0917
    db: CellDb, org_id: UUID, number_id: UUID, text_id: UUID, contact: str, at: Any, text: Any, media: Any
) -> None:
    await db.run(
        """INSERT INTO messages (id, org_id, account, phone_number_id, kind, sender, recipient, text, channel, media,
               encoding, segments, priority, status, unit_price_microcents, expires_at, created_at, updated_at,
               sent_at, finished_at)
           VALUES ($1, $2, 'live', $3, 'customer', $4, $5, $6, $7, $8, 'gsm7', 1, 1, 'delivered', 1000000,
                   $9::timestamptz + interval '4 hours', $9, $9, $9, $9)""",
        text_id,
        org_id,
        number_id,
        OUR_NUMBER,
        contact,
        text,
        "mms" if media else "sms",
        media,
        at,
    )


async def _insert_inbound(  # noqa: PLR0917
    db: CellDb, org_id: UUID, number_id: UUID, text_id: UUID, contact: str, at: Any, text: Any, media: Any
) -> None:
    await db.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
               media_urls, segment_count, carrier, carrier_message_id, received_at)
           VALUES ($1, $2, 'live', $3, $4, $5, $6, $7, $8, 1, 'smpp', $1::uuid::text, $9)""",
        text_id,
        org_id,
        number_id,
        contact,
        OUR_NUMBER,
        text,
        "mms" if media else "sms",
        media,
        at,
    )


async def _converse(  # noqa: PLR0917
    db: CellDb, org_id: UUID, number_id: UUID, text_id: UUID, contact: str, at: Any, *, is_inbound: bool
) -> None:
    direction = "inbound" if is_inbound else "outbound"
    await db.run(
        """INSERT INTO conversation_entries (org_id, contact_number, phone_number_id, at, message_id, direction)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        org_id,
        contact,
        number_id,
        at,
        text_id,
        direction,
    )
    await db.run(
        """INSERT INTO conversations AS c (org_id, phone_number_id, contact_number, phone_number, last_message_at,
               last_direction, last_message_id, last_preview, message_count)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
           ON CONFLICT (org_id, contact_number, phone_number_id) DO UPDATE
           SET message_count = c.message_count + 1, last_message_at = $5, last_direction = $6, last_message_id = $7,
               last_preview = $8, redacted_at = NULL WHERE c.last_message_at <= $5""",
        org_id,
        number_id,
        contact,
        OUR_NUMBER,
        at,
        direction,
        text_id,
        SECRET,
    )
