"""The operations of `client.campaigns`. Generated from the contract by `tools/make_sdk.py`."""

from typing import Unpack

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.campaigns import (
    Campaign,
    CampaignDraft,
    CampaignFields,
    CampaignStatus,
    CampaignStatusWord,
    Review,
)
from agentmessage.sdk.models.shared import PhoneNumber


class AsyncCampaignsOperations(AsyncResource):
    """The operations of `client.campaigns`."""

    async def list_phone_numbers(
        self,
        campaign_id: Id,
        *,
        cursor: str | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
    ) -> AsyncPage[PhoneNumber]:
        """List the phone numbers that are attached to a campaign, newest first.

        - `offset`: Rows to skip; not together with `cursor`. 0 to 1000000.
        - `limit`: 1 to 100, 20 unless given.

        Scope: `numbers:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._page(
            PhoneNumber,
            Request(
                "GET",
                f"/v1/campaigns/{segment(campaign_id)}/phone-numbers",
                query={"cursor": cursor, "offset": offset, "limit": limit},
            ),
        )

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        status: CampaignStatus | CampaignStatusWord | UnsetType = UNSET,
        brand_id: Id | UnsetType = UNSET,
    ) -> AsyncPage[Campaign]:
        """List campaigns, newest first.

        The next page's cursor is in the header `X-Next-Cursor`.

        - `offset`: Rows to skip; not together with `cursor`. 0 to 1000000.
        - `limit`: 1 to 100, 20 unless given.

        Scope: `campaigns:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Campaign,
            Request(
                "GET",
                "/v1/campaigns",
                query={"cursor": cursor, "offset": offset, "limit": limit, "status": status, "brand_id": brand_id},
            ),
        )

    async def create(self, *, idempotency_key: str | None = None, **fields: Unpack[CampaignFields]) -> Campaign:
        """File a campaign with the registry and the operators.

        Accepted means that its first month is charged and its filing queued: `tcr_campaign_id` and `mno_metadata`
        follow, and the events `campaign.shared` and `campaign.approved` or `campaign.rejected` say how it went. The
        month begins with the approval; a campaign that never becomes active has it given back.

        Scope: `campaigns:write`. Raises InvalidInputError, InsufficientCreditError, NotFoundError,
        IdempotencyKeyReusedError, BrandNotVerifiedError, SoleProprietorLimitError, ValidationFailedError.
        """
        return await self._one(Campaign, Request("POST", "/v1/campaigns", body=fields, idempotency_key=idempotency_key))

    async def review(self, *, idempotency_key: str | None = None, **fields: Unpack[CampaignDraft]) -> Review:
        """Review a draft before it is filed; nothing is stored or charged.

        The same draft gives the same findings, except for pages that change: the privacy and terms pages are requested,
        each for at most three seconds. `can_submit` is false when a finding blocks. 30 a minute.

        Scope: `campaigns:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError,
        RateLimitedError.
        """
        return await self._one(
            Review, Request("POST", "/v1/campaigns/review", body=fields, idempotency_key=idempotency_key)
        )

    async def get(self, campaign_id: Id) -> Campaign:
        """Read one campaign.

        Scope: `campaigns:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(Campaign, Request("GET", f"/v1/campaigns/{segment(campaign_id)}"))

    async def deactivate(self, campaign_id: Id, *, detach_numbers: bool | UnsetType = UNSET) -> Campaign:
        """Deactivate a campaign for good, here and at the registry: its status becomes EXPIRED.

        Rejected while numbers are on it, unless `detach_numbers=true`: then they are detached right after. Deactivating
        an expired campaign returns it again and changes nothing.

        - `detach_numbers`: Detach the campaign's numbers as well. False unless given.

        Scope: `campaigns:write`. Raises ValidationFailedError, NotFoundError, CampaignHasNumbersError.
        """
        return await self._one(
            Campaign,
            Request("DELETE", f"/v1/campaigns/{segment(campaign_id)}", query={"detach_numbers": detach_numbers}),
        )
