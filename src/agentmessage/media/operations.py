"""Files that go with texts: announced, uploaded once by a secret link, fetched by the carrier by a signed one."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
import structlog

from agentmessage.kernel.db import CellDb, Executor, Tx
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.media import queries
from agentmessage.media.errors import MediaQuotaExceeded, MmsDisabled
from agentmessage.media.file_types import MediaType
from agentmessage.media.model import UPLOAD_LINK_KEPT, Kept, Media, MediaLinks, MediaState, fingerprint
from agentmessage.media.store import ObjectStore, StoreAway, key_of
from agentmessage.web import webhook_urls

log = structlog.get_logger("agentmessage.media")

TOKEN_BYTES = 32
MOST_FILES = 200
NOT_YOURS = "must be an https URL, or the media_id of one of your uploads that is complete"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def announce(
    tx: Tx, tenant: Tenant, *, mime_type: MediaType, byte_size: int, quota: Kept | None = None
) -> tuple[Media, str]:
    """Make room for one file; answers it with the token of its upload link, which is not stored.

    Raises MediaQuotaExceeded where the organization would keep more than its quota.
    """
    if quota is not None:
        kept = await queries.lock_kept(tx, tenant.org_id)
        if kept.files >= quota.files or kept.size_bytes + byte_size > quota.size_bytes:
            limits = {"max_files": str(quota.files), "max_bytes": str(quota.size_bytes)}
            raise MediaQuotaExceeded(details=limits)
    media_id = new_id()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    media = Media(
        id=media_id,
        org_id=tenant.org_id,
        mime_type=mime_type,
        byte_size=byte_size,
        state=MediaState.ANNOUNCED,
        object_key=key_of(tenant.org_id, media_id),
        created_at=tx.now,
        expires_at=tx.now + UPLOAD_LINK_KEPT,
        stored_at=None,
    )
    await queries.insert(tx, media, fingerprint(token))
    return media, token


async def resolve(
    db: Executor,
    tenant: Tenant,
    refs: Sequence[str],
    *,
    links: MediaLinks,
    until: datetime,
    recipient: str | None = None,
    keeps: bool = True,
) -> list[str]:
    """The `media` of a message as URLs that its carrier can fetch, in order; https URLs stay as they are.

    `until`: when the message can no longer be sent. Until then uploads are kept and their links hold; `keeps` False
    only asks and changes nothing. Raises MmsDisabled, or ValidationFailed naming every `media[i]` that is not the
    tenant's or not uploaded yet.
    """
    if refs and not links.is_enabled:
        raise MmsDisabled
    wanted = {ref: msgspec.convert(ref.lower(), UUID) for ref in refs if _UUID.fullmatch(ref)}
    look_up = partial(queries.keep_until, until=until, recipient=recipient) if keeps else queries.list_stored
    there = await look_up(db, tenant.org_id, list(wanted.values())) if wanted else []
    faults = {
        f"media[{index}]": words
        for index, ref in enumerate(refs)
        if wanted.get(ref) not in there and (words := _fault(ref)) is not None
    }
    if faults:
        raise ValidationFailed(faults)
    return [links.download(tenant.cell, wanted[ref], until=until) if ref in wanted else ref for ref in refs]


def _fault(ref: str) -> str | None:
    """What is wrong with a reference that is no upload of the tenant's."""
    return webhook_urls.file_url_error(ref) if "://" in ref else NOT_YOURS


async def erase(tx: Tx, tenant: Tenant, contact: str) -> int:
    """Put the files out of reach that were sent to one contact and to nobody else; answers how many.

    The caller has taken the content out of the contact's messages.
    """
    return await queries.end_files_of(tx, tenant.org_id, contact)


async def shorten(db: Executor, org_id: UUID, *, days: int) -> None:
    """An organization's retention was lowered: its files go sooner."""
    await queries.shorten(db, org_id, days=days)


async def delete_expired(db: CellDb, store: ObjectStore) -> int:
    """Delete files past their time, first their bytes; answers how many. A store that is away is asked again later."""
    expired = await queries.list_expired(db, db.now, limit=MOST_FILES)
    if not expired:
        return 0
    gone: list[UUID] = []
    try:
        for media in expired:
            await store.delete(media.object_key)
            gone.append(media.id)
    except StoreAway as error:
        log.warning("media store unavailable", error=str(error)[:300])
    return await queries.delete(db, gone, db.now)
