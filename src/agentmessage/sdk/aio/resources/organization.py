"""The operations of `client.organization`. Generated from the contract by `tools/make_sdk.py`."""

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.organization import AutoRepliesPatch, Organization, QuietHoursPatch
from agentmessage.sdk.models.shared import OptOutScope, OptOutScopeWord


class AsyncOrganizationOperations(AsyncResource):
    """The operations of `client.organization`."""

    async def get(self) -> Organization:
        """Read the organization that the key belongs to.

        Scope: `org:read`.
        """
        return await self._one(Organization, Request("GET", "/v1/organization"))

    async def update(
        self,
        *,
        name: str | UnsetType = UNSET,
        billing_email: str | UnsetType | None = UNSET,
        message_retention_days: int | UnsetType = UNSET,
        mms_retention_days: int | UnsetType = UNSET,
        is_reseller: bool | UnsetType = UNSET,
        quiet_hours: QuietHoursPatch | UnsetType = UNSET,
        auto_replies: AutoRepliesPatch | UnsetType = UNSET,
        opt_out_scope: OptOutScope | OptOutScopeWord | UnsetType = UNSET,
    ) -> Organization:
        """Change settings of the organization.

        Omitted fields stay as they are. A shorter retention takes effect at the next sweep; a longer one brings nothing
        back. Turning auto replies off needs `auto_replies.attestation`; STOP suppresses either way.

        - `name`: 1 to 100 characters.
        - `billing_email`: At most 254 characters.
        - `message_retention_days`: 30 to 365.
        - `mms_retention_days`: 1 to 365.
        - `opt_out_scope`: How far a STOP to one of your numbers reaches from now on. Earlier ones stay as they are.

        Scope: `org:admin:write`. Raises InvalidInputError, ValidationFailedError, ResellerNotEligibleError,
        ResellerHasBrandsError, AttestationRequiredError.
        """
        return await self._one(
            Organization,
            Request(
                "PATCH",
                "/v1/organization",
                body={
                    "name": name,
                    "billing_email": billing_email,
                    "message_retention_days": message_retention_days,
                    "mms_retention_days": mms_retention_days,
                    "is_reseller": is_reseller,
                    "quiet_hours": quiet_hours,
                    "auto_replies": auto_replies,
                    "opt_out_scope": opt_out_scope,
                },
            ),
        )
