"""The operations of `client.brands`. Generated from the contract by `tools/make_sdk.py`."""

from typing import Unpack

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.models.brands import (
    Brand,
    BrandChanges,
    BrandFields,
    BrandStatus,
    BrandStatusWord,
    IdentityStatus,
    IdentityStatusWord,
)
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class BrandsOperations(Resource):
    """The operations of `client.brands`."""

    def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        status: BrandStatus | BrandStatusWord | UnsetType = UNSET,
        identity_status: IdentityStatus | IdentityStatusWord | UnsetType = UNSET,
    ) -> Page[Brand]:
        """List brands, newest first.

        The next page's cursor is in the header `X-Next-Cursor`.

        - `offset`: Rows to skip; not together with `cursor`. 0 to 1000000.
        - `limit`: 1 to 100, 20 unless given.

        Scope: `brands:read`. Raises ValidationFailedError.
        """
        return self._page(
            Brand,
            Request(
                "GET",
                "/v1/brands",
                query={
                    "cursor": cursor,
                    "offset": offset,
                    "limit": limit,
                    "status": status,
                    "identity_status": identity_status,
                },
            ),
        )

    def create(self, *, idempotency_key: str | None = None, **fields: Unpack[BrandFields]) -> Brand:
        """File a brand with the registry.

        Accepted means charged ($5.00, once) and queued: `tcr_brand_id` and `identity_status` follow, and the event
        `brand.vetted` or `brand.vetting_failed` says how it went. The fee is not given back when the registry refuses.
        An organization has one brand unless it is a reseller; deleted ones do not count.

        Scope: `brands:write`. Raises InvalidInputError, InsufficientCreditError, IdempotencyKeyReusedError,
        ValidationFailedError, ResellerRequiredError.
        """
        return self._one(Brand, Request("POST", "/v1/brands", body=fields, idempotency_key=idempotency_key))

    def get(self, brand_id: Id) -> Brand:
        """Read one brand; a deleted one can still be read.

        Scope: `brands:read`. Raises ValidationFailedError, NotFoundError.
        """
        return self._one(Brand, Request("GET", f"/v1/brands/{segment(brand_id)}"))

    def update(self, brand_id: Id, **fields: Unpack[BrandChanges]) -> Brand:
        """Change a brand, and let the registry check it again where necessary.

        Omitted fields stay, null clears. A brand that the registry refused (PENDING with `failure_reasons`) is filed
        again for another $5.00; sending a change to the registry is free.

        Scope: `brands:write`. Raises ValidationFailedError, InvalidInputError, InsufficientCreditError, NotFoundError,
        BrandDeletedError.
        """
        return self._one(Brand, Request("PATCH", f"/v1/brands/{segment(brand_id)}", body=fields))

    def delete(self, brand_id: Id) -> Brand:
        """Delete a brand for good, here and at the registry.

        Its campaigns must have been deactivated. Deleting a deleted brand returns it again and changes nothing.

        Scope: `brands:write`. Raises ValidationFailedError, NotFoundError, BrandHasCampaignsError.
        """
        return self._one(Brand, Request("DELETE", f"/v1/brands/{segment(brand_id)}"))
