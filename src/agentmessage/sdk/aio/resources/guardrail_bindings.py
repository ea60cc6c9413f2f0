"""The operations of `client.guardrails.bindings`. Generated from the contract by `tools/make_sdk.py`."""

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, given, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.guardrails import Binding


class AsyncGuardrailBindingsOperations(AsyncResource):
    """The operations of `client.guardrails.bindings`."""

    async def list(self, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET) -> AsyncPage[Binding]:
        """List guardrail bindings, newest first.

        - `limit`: 1 to 100, 50 unless given.

        Scope: `org:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Binding, Request("GET", "/v1/guardrails/bindings", query={"cursor": cursor, "limit": limit})
        )

    async def put(
        self,
        *,
        profile_id: Id,
        brand_id: Id | UnsetType | None = UNSET,
        campaign_id: Id | UnsetType | None = UNSET,
        phone_number_id: Id | UnsetType | None = UNSET,
        pool_id: Id | UnsetType | None = UNSET,
    ) -> Binding:
        """Bind a profile to a brand, campaign, number or pool; without a target it is the organization's default.

        A scope has one profile: another binding of it is replaced. It holds from the next text on.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, ValidationFailedError.
        """
        return await self._one(
            Binding,
            Request(
                "PUT",
                "/v1/guardrails/bindings",
                body={
                    "profile_id": profile_id,
                    "brand_id": brand_id,
                    "campaign_id": campaign_id,
                    "phone_number_id": phone_number_id,
                    "pool_id": pool_id,
                },
            ),
        )

    async def delete(self, binding_id: Id, *, attestation: str | UnsetType | None = UNSET) -> None:
        """Remove a guardrail binding.

        When quiet hours, frequency cap, consent freshness or stamp of its profile are stricter than the organization's
        default, the body must hold an `attestation`; `details.tool` says of which. The default itself is measured
        against the organization's own quiet hours and nothing else.

        - `attestation`: Kept word for word in the audit log. At most 1000 characters.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, ValidationFailedError,
        AttestationRequiredError.
        """
        await self._nothing(
            Request(
                "DELETE", f"/v1/guardrails/bindings/{segment(binding_id)}", body=given({"attestation": attestation})
            )
        )
