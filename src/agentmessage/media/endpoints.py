"""What is served outside `/v1/`: `PUT /media/{cell}/{token}` takes a file, `GET /media/{cell}/{id}` hands it out.

Both are open to whoever has the link: a token of 256 random bits that works once, a signature that holds for a time.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import structlog

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import (
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    ValidationFailed,
)
from agentmessage.media import queries
from agentmessage.media.file_types import MediaType, is_a
from agentmessage.media.model import PREFIX, Media, MediaLinks, fingerprint
from agentmessage.media.store import ObjectStore, StoreAway
from agentmessage.web.negotiation import require_plain
from agentmessage.web.request import read_headers
from agentmessage.web.responses import HttpResponse, Receive, Scope
from agentmessage.web.types import Enveloped

log = structlog.get_logger("agentmessage.media")

STORE_AWAY_S = 5
HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",  # a stranger's file must never run as a page of ours
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class MediaPages:
    """Takes and hands out files."""

    def __init__(self, cells: Cells, store: ObjectStore, links: MediaLinks) -> None:
        self._cells = cells
        self._store = store
        self._links = links

    async def answer(self, scope: Scope, receive: Receive) -> HttpResponse:
        """Answer one request below `/media/`. Raises ApiError."""
        cell, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
        if cell not in await self._cells.names() or not rest or "/" in rest:
            raise NotFound
        db = await self._cells.cell(cell)
        match scope["method"]:
            case "PUT":
                return await self._take(db, rest, scope, receive)
            case "GET" | "HEAD":
                return await self._hand_out(db, rest, scope["query_string"])
            case _:
                raise MethodNotAllowed("GET, HEAD, PUT")

    async def _take(self, db: CellDb, token: str, scope: Scope, receive: Receive) -> HttpResponse:
        """Raises NotFound (unknown, used or over), PayloadTooLarge, ValidationFailed, Unavailable.

        A file that is refused, or breaks off, leaves the link as it was.
        """
        token_hash = fingerprint(token)
        media = await queries.find_upload(db, token_hash)
        if media is None:
            raise NotFound
        content = await _read(scope, receive, most=media.byte_size)
        _require_fit(media, content)
        if not await queries.use_token(db, media.org_id, media.id, token_hash):
            raise NotFound
        try:
            await self._store.put(media.object_key, content, mime_type=media.mime_type)
        except StoreAway as error:
            log.warning("media store unavailable", error=str(error)[:300])
            await queries.give_token_back(db, media.org_id, media.id, token_hash)
            raise Unavailable(retry_after_s=STORE_AWAY_S) from error
        await queries.mark_stored(db, media.org_id, media.id, byte_size=len(content))
        stored = {"media_id": str(media.id), "mime_type": media.mime_type, "byte_size": len(content)}
        return HttpResponse(200, msgspec.json.encode(Enveloped(success=True, data=stored)))

    async def _hand_out(self, db: CellDb, some_id: str, query_string: bytes) -> HttpResponse:
        """Raises NotFound for anything but a good link to a file that is there, Unavailable."""
        media_id = _uuid(some_id)
        try:
            query = dict(parse_qsl(query_string.decode("latin-1"), max_num_fields=8))
        except ValueError as error:
            raise NotFound from error
        until, signature = query.get("until", ""), query.get("sig", "")
        if not self._links.is_good(db.name, media_id, until=until, signature=signature, now=db.now):
            raise NotFound
        media = await queries.find_stored(db, media_id)
        if media is None:
            raise NotFound
        try:
            content = await self._store.get(media.object_key)
        except StoreAway as error:
            log.warning("media store unavailable", error=str(error)[:300])
            raise Unavailable(retry_after_s=STORE_AWAY_S) from error
        if content is None:
            raise NotFound
        return HttpResponse(200, content, HEADERS, content_type=media.mime_type)


def _uuid(text: str) -> UUID:
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError as error:
        raise NotFound from error


def _require_fit(media: Media, content: bytes) -> None:
    if not content:
        raise ValidationFailed({"body": "must be the file's bytes"})
    if not is_a(MediaType(media.mime_type), content):
        raise ValidationFailed({"body": f"is not the {media.mime_type} that was announced"})


async def _read(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """The body, refused at the first byte too many; at once where its length is declared."""
    headers = read_headers(scope["headers"])
    require_plain(headers.get("content-encoding", ""))
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise PayloadTooLarge(f"the file is larger than the {most} bytes that were announced")
    content = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidInput("the body ended early")
        content += message.get("body", b"")
        if len(content) > most:
            raise PayloadTooLarge(f"the file is larger than the {most} bytes that were announced")
        if not message.get("more_body"):
            return bytes(content)
