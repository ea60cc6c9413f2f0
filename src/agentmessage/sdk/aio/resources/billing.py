"""The operations of `client.billing`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk.aio.ndjson import AsyncRowStream
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.billing import (
    AutoTopup,
    Checkout,
    FeeCatalog,
    LedgerKind,
    LedgerKindWord,
    Portal,
    TopupProducts,
    Transaction,
    Usage,
    UsageKind,
    UsageKindWord,
    Wallet,
)


class AsyncBillingOperations(AsyncResource):
    """The operations of `client.billing`."""

    async def list_topup_products(self) -> TopupProducts:
        """List what credit can be bought in, cheapest first; the same for every organization.

        Scope: `billing:write`.
        """
        return await self._one(TopupProducts, Request("GET", "/v1/billing/topup/products"))

    async def create_topup(
        self, *, stripe_product_id: str, success_url: str, cancel_url: str, idempotency_key: str | None = None
    ) -> Checkout:
        """Open a checkout for one top-up.

        Send the customer to `checkout_url`. The credit arrives after the payment, not with this call. The card that
        pays is saved for automatic top-up. A sandbox pays at once with play money: its `checkout_url` is your own
        `success_url`.

        - `stripe_product_id`: 1 to 255 characters.
        - `success_url`: At most 2048 characters.
        - `cancel_url`: At most 2048 characters.

        Scope: `billing:write`. Raises InvalidInputError, BelowMinimumCreditError, NotFoundError,
        IdempotencyKeyReusedError, ValidationFailedError, BillingProviderUnavailableError,
        BillingProviderNotConfiguredError.
        """
        return await self._one(
            Checkout,
            Request(
                "POST",
                "/v1/billing/topup",
                body={"stripe_product_id": stripe_product_id, "success_url": success_url, "cancel_url": cancel_url},
                idempotency_key=idempotency_key,
            ),
        )

    async def get_auto_topup(self) -> AutoTopup:
        """Read what is charged by itself.

        `next_charge_at` is an estimate; the card processor is not asked.

        Scope: `billing:write`.
        """
        return await self._one(AutoTopup, Request("GET", "/v1/billing/wallet/auto-topup"))

    async def set_auto_topup(
        self, *, enabled: bool, stripe_product_id: str | UnsetType = UNSET, monthly_max_cents: int | UnsetType = UNSET
    ) -> AutoTopup:
        """Turn automatic top-up on or off.

        On: whenever the balance falls below the threshold (20 dollars, or the product's amount if that is less) the
        saved card is charged, never for more than `monthly_max_cents` in a calendar month; the first checkout saves it.
        Turning it off may be repeated, turning it on not: 409. After four failures in a row it turns itself off.
        Events: `wallet.auto_topup.failed`, `wallet.auto_topup.disabled`.

        - `stripe_product_id`: 1 to 255 characters.
        - `monthly_max_cents`: What a calendar month (UTC) may cost at most; left out: ten times the amount. 1 to
          100000000.

        Scope: `billing:write`. Raises InvalidInputError, NoPlanError, BelowMinimumCreditError, ConflictError,
        NoStripeCustomerError, ValidationFailedError, BillingProviderNotConfiguredError.
        """
        return await self._one(
            AutoTopup,
            Request(
                "PUT",
                "/v1/billing/wallet/auto-topup",
                body={
                    "enabled": enabled,
                    "stripe_product_id": stripe_product_id,
                    "monthly_max_cents": monthly_max_cents,
                },
            ),
        )

    async def create_portal_session(self, *, return_url: str, idempotency_key: str | None = None) -> Portal:
        """Open the card processor's portal, where cards are changed and receipts read.

        Send the customer there at once: the link is good for minutes. `return_url` must be on a host that the operator
        has listed.

        - `return_url`: At most 2048 characters.

        Scope: `billing:write`. Raises InvalidInputError, IdempotencyKeyReusedError, NoStripeCustomerError,
        ValidationFailedError, BillingPortalUnavailableError, BillingProviderNotConfiguredError.
        """
        return await self._one(
            Portal,
            Request("POST", "/v1/billing/portal", body={"return_url": return_url}, idempotency_key=idempotency_key),
        )

    async def get_wallet(self) -> Wallet:
        """Show the wallet, what the month has cost so far, and the throughput that the lifetime spend has earned.

        Scope: `billing:read`.
        """
        return await self._one(Wallet, Request("GET", "/v1/billing/wallet"))

    async def list_transactions(
        self,
        *,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        kind: LedgerKind | LedgerKindWord | UnsetType = UNSET,
    ) -> AsyncPage[Transaction]:
        """List what moved the wallet, newest first: the last 30 days, or a range of at most 90 (from, to).

        - `from_`: The range's beginning, included.
        - `to`: The range's end, excluded.
        - `limit`: 1 to 500, 100 unless given.

        Scope: `billing:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Transaction,
            Request(
                "GET",
                "/v1/billing/transactions",
                query={"from": from_, "to": to, "cursor": cursor, "limit": limit, "kind": kind},
            ),
        )

    async def list_usage(
        self,
        *,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        kind: UsageKind | UsageKindWord | UnsetType = UNSET,
    ) -> AsyncPage[Usage]:
        """List what was paid for, newest first: the last 30 days, or a range of at most 90 (from, to).

        `kind` narrows it to one kind, in an export too.

        With `Accept: application/x-ndjson` the answer is every row of the range, however long the range, one JSON value
        a line and no envelope; `limit` does not count. A stream that was cut off lacks the end that HTTP asks for: take
        it up again with a cursor made of its last row, or with `to`.

        - `from_`: The range's beginning, included.
        - `to`: The range's end, excluded.
        - `limit`: 1 to 500, 100 unless given.

        Scope: `billing:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Usage,
            Request(
                "GET",
                "/v1/billing/usage",
                query={"from": from_, "to": to, "cursor": cursor, "limit": limit, "kind": kind},
            ),
        )

    def stream_usage(
        self,
        *,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        kind: UsageKind | UsageKindWord | UnsetType = UNSET,
    ) -> AsyncRowStream[Usage]:
        """The rows of `list_usage`, all of them in one answer, as they come.

        Read it in a `with` block, or to its end.
        """
        return self._lines(
            Usage, Request("GET", "/v1/billing/usage", query={"from": from_, "to": to, "cursor": cursor, "kind": kind})
        )

    async def get_fees(self) -> FeeCatalog:
        """Show what everything costs now.

        What was charged before keeps the price of its time.

        Scope: `billing:read`.
        """
        return await self._one(FeeCatalog, Request("GET", "/v1/billing/catalog/fees"))
