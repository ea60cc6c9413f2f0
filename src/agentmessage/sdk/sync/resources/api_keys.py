"""The operations of `client.api_keys`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.models.api_keys import ApiKey, ApiKeyWithPlaintext
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class ApiKeysOperations(Resource):
    """The operations of `client.api_keys`."""

    def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        include_revoked: bool | UnsetType = UNSET,
        parent_id: Id | UnsetType = UNSET,
    ) -> Page[ApiKey]:
        """List API keys, newest first, revoked ones too unless include_revoked=false.

        `parent_id` lists what one key made.

        - `limit`: 1 to 100, 50 unless given.
        - `include_revoked`: True unless given.

        Scope: `apikeys:read`. Raises ValidationFailedError.
        """
        return self._page(
            ApiKey,
            Request(
                "GET",
                "/v1/api-keys",
                query={"cursor": cursor, "limit": limit, "include_revoked": include_revoked, "parent_id": parent_id},
            ),
        )

    def create(self, *, label: str, scopes: Sequence[str], idempotency_key: str | None = None) -> ApiKeyWithPlaintext:
        """Make an API key.

        The plaintext is shown in this answer only. The key that asks is the new one's parent: it cannot give what it
        lacks, and when it is revoked, so is the child. Creating and rotating share 10 requests a minute.

        - `label`: What the key is for; shown in the audit log. 1 to 100 characters.
        - `scopes`: One or more different scopes. At least 1 items.

        Scope: `apikeys:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError,
        RateLimitedError.
        """
        return self._bare(
            ApiKeyWithPlaintext,
            Request("POST", "/v1/api-keys", body={"label": label, "scopes": scopes}, idempotency_key=idempotency_key),
        )

    def get(self, api_key_id: Id) -> ApiKey:
        """Read one API key, revoked or not.

        Scope: `apikeys:read`. Raises ValidationFailedError, NotFoundError.
        """
        return self._bare(ApiKey, Request("GET", f"/v1/api-keys/{segment(api_key_id)}"))

    def revoke(self, api_key_id: Id, *, keep_children: bool | UnsetType = UNSET) -> None:
        """End an API key, and the keys that it made.

        They stay listed with `revoked_at`; what waits or streams with one of them ends within a second. With
        `keep_children=true` the keys that it made live on; `GET /v1/api-keys?parent_id=…` lists them. A key with scopes
        that the calling key lacks cannot be ended by it. Ending a key again answers 204 too.

        - `keep_children`: Let the keys that it made live on. False unless given.

        Scope: `apikeys:write`. Raises ValidationFailedError, NotFoundError.
        """
        self._nothing(Request("DELETE", f"/v1/api-keys/{segment(api_key_id)}", query={"keep_children": keep_children}))

    def rotate(self, api_key_id: Id, *, idempotency_key: str | None = None) -> ApiKeyWithPlaintext:
        """Replace an API key by a new one with the same label and scopes.

        The old key stops working at once; the keys that it made live on, with the new one as their parent. A key with
        scopes that the calling key lacks cannot be rotated by it, and a revoked key is not found. Creating and rotating
        share 10 requests a minute.

        Scope: `apikeys:write`. Raises ValidationFailedError, NotFoundError, IdempotencyKeyReusedError,
        RateLimitedError.
        """
        return self._bare(
            ApiKeyWithPlaintext,
            Request("POST", f"/v1/api-keys/{segment(api_key_id)}/rotate", idempotency_key=idempotency_key),
        )
