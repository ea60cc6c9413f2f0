"""The operations of `client.lookups`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.lookups import Lookup, LookupStatus, LookupStatusWord, LookupType, LookupTypeWord


class AsyncLookupsOperations(AsyncResource):
    """The operations of `client.lookups`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        phone_number: str | UnsetType = UNSET,
        status: LookupStatus | LookupStatusWord | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        until: datetime | UnsetType = UNSET,
    ) -> AsyncPage[Lookup]:
        """List lookups, newest first.

        `since` and `until` go by when they were requested.

        - `limit`: 1 to 200, 50 unless given.

        Scope: `lookups:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Lookup,
            Request(
                "GET",
                "/v1/lookup",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "phone_number": phone_number,
                    "status": status,
                    "since": since,
                    "until": until,
                },
            ),
        )

    async def submit(
        self,
        *,
        phone_number: str,
        lookup_type: LookupType | LookupTypeWord | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Lookup:
        """Ask what kind of line a number is.

        It is charged first and asked at once. 200 also when the supplier knows no such number: `status` is then
        `failed`. 502 means that the supplier could not be asked; the charge is given back. After a `FIXED` line was
        found, texts to the number are refused for 90 days. A lookup that was asked under the same `Idempotency-Key` is
        the answer, whatever its age. Event: `lookup.completed`.

        - `lookup_type`: `advanced` unless given.

        Scope: `lookups:write`. Raises InvalidInputError, InsufficientCreditError, IdempotencyKeyReusedError,
        ValidationFailedError, LookupFailedError.
        """
        return await self._one(
            Lookup,
            Request(
                "POST",
                "/v1/lookup",
                body={"phone_number": phone_number, "lookup_type": lookup_type},
                idempotency_key=idempotency_key,
            ),
        )

    async def get(self, lookup_id: Id) -> Lookup:
        """Read one lookup.

        After 90 days `result` is null and `result_redacted_at` set.

        Scope: `lookups:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(Lookup, Request("GET", f"/v1/lookup/{segment(lookup_id)}"))
