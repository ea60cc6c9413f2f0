"""Media in a bucket that speaks the S3 protocol, for platforms of more than one machine."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

import aiohttp
from aiohttp_s3_client import S3Client
from msgspec import Struct

from agentmessage.media.store import KEY, StoreAway

TIMEOUT_S = 20.0
GONE = 404


class Bucket(Struct, frozen=True, kw_only=True):
    """Where and as whom. `url` is the service's own address; the bucket is named in the path."""

    url: str
    name: str
    region: str
    access_key: str
    secret_key: str


class _Requests(Protocol):
    """As much of the library as is used; its own types are incomplete."""

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None, data: bytes | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]: ...


class S3Store:
    """ObjectStore over HTTP; requests are signed (AWS Signature Version 4), whole objects only."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._session: aiohttp.ClientSession | None = None

    async def put(self, key: str, content: bytes, *, mime_type: str) -> None:
        """See ObjectStore.put."""
        await self._ask("PUT", key, content, mime_type)

    async def get(self, key: str) -> bytes | None:
        """See ObjectStore.get."""
        return await self._ask("GET", key)

    async def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        await self._ask("DELETE", key)

    async def close(self) -> None:
        """Close pooled connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, key: str, content: bytes | None = None, mime_type: str = "") -> bytes | None:
        if not KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")
        headers = {"Content-Type": mime_type} if mime_type else None
        client = self._client()
        try:
            async with client.request(method, f"{self._bucket.name}/{key}", headers=headers, data=content) as answer:
                body = await answer.read()
                if answer.status == GONE:
                    return None
                if not answer.ok:
                    raise StoreAway(f"{method}: status {answer.status} {body[:300]!r}")
                return body
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoreAway(f"{method}: {error or type(error).__name__}") from error

    def _client(self) -> _Requests:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                connector=aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver()),
            )
        client = S3Client(
            self._session,
            self._bucket.url,
            access_key_id=self._bucket.access_key,
            secret_access_key=self._bucket.secret_key,
            region=self._bucket.region,
        )
        return cast("_Requests", client)
