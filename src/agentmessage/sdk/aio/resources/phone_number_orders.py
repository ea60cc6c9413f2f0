"""The operations of `client.phone_numbers.orders`. Generated from the contract by `tools/make_sdk.py`."""

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.phone_numbers import (
    CustomerOrderKind,
    CustomerOrderKindWord,
    OrderStatus,
    OrderStatusWord,
    PhoneNumberOrder,
    PhoneNumberOrderDetail,
)


class AsyncPhoneNumberOrdersOperations(AsyncResource):
    """The operations of `client.phone_numbers.orders`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        kind: CustomerOrderKind | CustomerOrderKindWord | UnsetType = UNSET,
        status: OrderStatus | OrderStatusWord | UnsetType = UNSET,
    ) -> AsyncPage[PhoneNumberOrder]:
        """List orders for phone numbers, by name and in bulk, newest first.

        - `limit`: 1 to 100, 20 unless given.

        Scope: `numbers:read`. Raises ValidationFailedError.
        """
        return await self._page(
            PhoneNumberOrder,
            Request(
                "GET",
                "/v1/phone-numbers/orders",
                query={"cursor": cursor, "limit": limit, "kind": kind, "status": status},
            ),
        )

    async def get(self, order_id: Id) -> PhoneNumberOrderDetail:
        """Get an order for phone numbers.

        `processing` until it is `complete` or `failed`. `phone_numbers` names the numbers that are on order, or that it
        came to; they can be read by their id once it is complete.

        Scope: `numbers:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(PhoneNumberOrderDetail, Request("GET", f"/v1/phone-numbers/orders/{segment(order_id)}"))
