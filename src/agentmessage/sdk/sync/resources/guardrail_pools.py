"""The operations of `client.guardrails.pools`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk._response import Rows
from agentmessage.sdk.models.guardrails import Member, Pool
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class GuardrailPoolsOperations(Resource):
    """The operations of `client.guardrails.pools`."""

    def list(
        self, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET, brand_id: Id | UnsetType = UNSET
    ) -> Page[Pool]:
        """List guardrail pools, newest first.

        - `limit`: 1 to 100, 50 unless given.

        Scope: `org:read`. Raises ValidationFailedError.
        """
        return self._page(
            Pool, Request("GET", "/v1/guardrails/pools", query={"cursor": cursor, "limit": limit, "brand_id": brand_id})
        )

    def create(self, *, brand_id: Id, name: str, slug: str, idempotency_key: str | None = None) -> Pool:
        """Create a guardrail pool of one brand.

        It has no effect until it has members and a profile is bound to it.

        - `name`: 1 to 100 characters.
        - `slug`: Unique in the organization. 1 to 100 characters.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, IdempotencyKeyReusedError, ConflictError,
        ValidationFailedError.
        """
        return self._one(
            Pool,
            Request(
                "POST",
                "/v1/guardrails/pools",
                body={"brand_id": brand_id, "name": name, "slug": slug},
                idempotency_key=idempotency_key,
            ),
        )

    def get(self, pool_id: Id) -> Pool:
        """Read one guardrail pool.

        Scope: `org:read`. Raises NotFoundError, ValidationFailedError.
        """
        return self._one(Pool, Request("GET", f"/v1/guardrails/pools/{segment(pool_id)}"))

    def update(self, pool_id: Id, *, name: str | UnsetType = UNSET, slug: str | UnsetType = UNSET) -> Pool:
        """Rename a guardrail pool.

        Its brand is fixed.

        - `name`: 1 to 100 characters.
        - `slug`: Unique in the organization. 1 to 100 characters.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, ConflictError, ValidationFailedError.
        """
        return self._one(
            Pool, Request("PATCH", f"/v1/guardrails/pools/{segment(pool_id)}", body={"name": name, "slug": slug})
        )

    def delete(self, pool_id: Id) -> None:
        """Delete a guardrail pool, with its memberships and its binding.

        Scope: `org:admin:write`. Raises NotFoundError, ValidationFailedError.
        """
        self._nothing(Request("DELETE", f"/v1/guardrails/pools/{segment(pool_id)}"))

    def list_members(self, pool_id: Id) -> Rows[Member]:
        """List all numbers in a guardrail pool, in the order of joining.

        Not paginated.

        Scope: `org:read`. Raises NotFoundError, ValidationFailedError.
        """
        return self._rows(Member, Request("GET", f"/v1/guardrails/pools/{segment(pool_id)}/members"))

    def replace_members(self, pool_id: Id, *, phone_number_ids: Sequence[Id]) -> Rows[Member]:
        """Have exactly these numbers in a guardrail pool, all or none.

        Each must be on a campaign of the pool's brand. A number is in one pool: it is pulled out of others.

        - `phone_number_ids`: Each on a campaign of the pool's brand, none twice. They leave other pools. At most 1000
          items.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, ValidationFailedError.
        """
        return self._rows(
            Member,
            Request(
                "PUT", f"/v1/guardrails/pools/{segment(pool_id)}/members", body={"phone_number_ids": phone_number_ids}
            ),
        )
