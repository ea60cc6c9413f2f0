"""Every statement on media."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.media.model import Kept, Media


async def insert(tx: Executor, media: Media, token_hash: bytes) -> None:
    """Store an announcement."""
    await tx.run(
        """INSERT INTO media (id, org_id, mime_type, byte_size, state, upload_token_hash, object_key, created_at,
               expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        media.id,
        media.org_id,
        media.mime_type,
        media.byte_size,
        media.state,
        token_hash,
        media.object_key,
        media.created_at,
        media.expires_at,
    )


async def lock_kept(tx: Executor, org_id: UUID) -> Kept:
    """What an organization keeps now; nobody else announces a file for it until the commit. By media_org_idx."""
    await tx.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"media|{org_id}")
    kept = await tx.one(
        Kept,
        """SELECT count(*), coalesce(sum(byte_size), 0)::bigint FROM media
           WHERE org_id = $1 AND greatest(expires_at, needed_until) > $2""",
        org_id,
        tx.now,
    )
    return kept or Kept(0, 0)


async def find_upload(db: Executor, token_hash: bytes) -> Media | None:
    """What a token of an upload link is for, whosever it is; None once it is used or over."""
    return await db.one(
        Media,
        """SELECT id, org_id, mime_type, byte_size, state, object_key, created_at, expires_at, stored_at FROM media
           WHERE upload_token_hash = $1 AND expires_at > $2""",
        token_hash,
        db.now,
    )


async def use_token(db: Executor, org_id: UUID, media_id: UUID, token_hash: bytes) -> bool:
    """Use an upload link up; of two at once, one gets it."""
    return bool(
        await db.run(
            """UPDATE media SET upload_token_hash = NULL
               WHERE org_id = $1 AND id = $2 AND upload_token_hash = $3 AND expires_at > $4""",
            org_id,
            media_id,
            token_hash,
            db.now,
        )
    )


async def give_token_back(db: Executor, org_id: UUID, media_id: UUID, token_hash: bytes) -> None:
    """The store was away: the link may be used after all."""
    await db.run(
        "UPDATE media SET upload_token_hash = $3 WHERE org_id = $1 AND id = $2 AND state = 'announced'",
        org_id,
        media_id,
        token_hash,
    )


async def mark_stored(db: Executor, org_id: UUID, media_id: UUID, *, byte_size: int) -> None:
    """The bytes are in the store, for as long as the organization keeps media."""
    await db.run(
        """UPDATE media m SET state = 'stored', stored_at = $3, byte_size = $4,
               expires_at = $3::timestamptz + make_interval(days => o.mms_retention_days)
           FROM organizations o WHERE m.org_id = $1 AND m.id = $2 AND o.id = m.org_id""",
        org_id,
        media_id,
        db.now,
        byte_size,
    )


async def find_stored(db: Executor, media_id: UUID) -> Media | None:
    """A stored file whose time is not over, whosever it is: a signed link has been checked."""
    return await db.one(
        Media,
        """SELECT id, org_id, mime_type, byte_size, state, object_key, created_at, expires_at, stored_at FROM media
           WHERE id = $1 AND state = 'stored' AND greatest(expires_at, needed_until) > $2""",
        media_id,
        db.now,
    )


async def list_stored(db: Executor, org_id: UUID, media_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these files that are there and will be sent if asked for now."""
    return await db.all(
        _id,
        """SELECT id FROM media
           WHERE org_id = $1 AND id = ANY ($2) AND state = 'stored' AND greatest(expires_at, needed_until) > $3""",
        org_id,
        media_ids,
        db.now,
    )


async def keep_until(
    db: Executor, org_id: UUID, media_ids: Sequence[UUID], *, until: datetime, recipient: str | None
) -> list[UUID]:
    """Keep stored files at least so long, and note whom they are for; answers which of them there are."""
    return await db.all(
        _id,
        """WITH kept AS (
               UPDATE media SET needed_until = greatest(needed_until, $3::timestamptz)
               WHERE org_id = $1 AND id = ANY ($2) AND state = 'stored' AND greatest(expires_at, needed_until) > $4
               RETURNING id),
           noted AS (
               INSERT INTO media_recipients (org_id, media_id, contact_number)
               SELECT $1, id, $5 FROM kept WHERE $5::text IS NOT NULL ORDER BY id ON CONFLICT DO NOTHING)
           SELECT id FROM kept""",
        org_id,
        media_ids,
        until,
        db.now,
        recipient,
    )


MOST_OTHERS = 50
"""Of the others who were to be sent a file so many are looked at; a file with more of them is somebody's."""


async def end_files_of(tx: Executor, org_id: UUID, contact: str) -> int:
    """End files that were sent to one contact and to nobody else; answers how many. By media_recipients_contact_idx.

    They are out of reach from this instant on, and the next sweep deletes their bytes. Somebody else was sent a file
    where a message of theirs still names it.
    """
    return await tx.run(
        """WITH candidates AS (
               DELETE FROM media_recipients WHERE org_id = $1 AND contact_number = $2 RETURNING media_id),
           others AS (
               SELECT r.media_id, r.contact_number FROM candidates
               CROSS JOIN LATERAL (
                   SELECT media_id, contact_number FROM media_recipients x
                   WHERE x.media_id = candidates.media_id AND x.contact_number <> $2 LIMIT $4 + 1) r),
           wanted AS (
               SELECT media_id FROM others GROUP BY media_id HAVING count(*) > $4
               UNION
               SELECT o.media_id FROM others o JOIN media f ON f.id = o.media_id
               WHERE EXISTS (
                   SELECT FROM messages m CROSS JOIN unnest(m.media) u (url)
                   WHERE m.org_id = $1 AND m.recipient = o.contact_number AND m.created_at >= f.created_at
                     AND strpos(u.url, f.id::text) > 0))
           UPDATE media SET expires_at = $3, needed_until = $3
           WHERE org_id = $1 AND id IN (SELECT media_id FROM candidates EXCEPT SELECT media_id FROM wanted)
             AND greatest(expires_at, needed_until) > $3""",
        org_id,
        contact,
        tx.now,
        MOST_OTHERS,
    )


async def shorten(db: Executor, org_id: UUID, *, days: int) -> int:
    """Let stored files of one organization end as early as its present retention says; by media_org_idx."""
    return await db.run(
        """UPDATE media SET expires_at = stored_at + make_interval(days => $2)
           WHERE org_id = $1 AND state = 'stored' AND expires_at > stored_at + make_interval(days => $2)""",
        org_id,
        days,
    )


async def list_expired(db: Executor, now: datetime, *, limit: int) -> list[Media]:
    """Files past their time, whosever they are; by media_expiry_idx."""
    return await db.all(
        Media,
        """SELECT id, org_id, mime_type, byte_size, state, object_key, created_at, expires_at, stored_at FROM media
           WHERE expires_at <= $1 AND (needed_until IS NULL OR needed_until <= $1) ORDER BY expires_at LIMIT $2""",
        now,
        limit,
    )


async def delete(db: Executor, media_ids: Sequence[UUID], now: datetime) -> int:
    """Forget files that are past their time still, whosever they are; those that a text has come to need stay."""
    return await db.run(
        "DELETE FROM media WHERE id = ANY ($1) AND expires_at <= $2 AND (needed_until IS NULL OR needed_until <= $2)",
        media_ids,
        now,
    )


def _id(value: UUID) -> UUID:
    return value
