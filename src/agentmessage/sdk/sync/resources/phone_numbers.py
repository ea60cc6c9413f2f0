"""The operations of `client.phone_numbers`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, given, segment
from agentmessage.sdk._response import Rows
from agentmessage.sdk.models.phone_numbers import AvailableNumber, BulkOrder, BulkRelease, LineOption, Released
from agentmessage.sdk.models.shared import NumberType, NumberTypeWord, PhoneNumber
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource
from agentmessage.sdk.sync.resources.phone_number_orders import PhoneNumberOrdersOperations
from agentmessage.sdk.sync.transport import Transport


class PhoneNumbersOperations(Resource):
    """The operations of `client.phone_numbers`."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.orders = PhoneNumberOrdersOperations(transport)

    def search(
        self,
        *,
        area_code: str | UnsetType | None = UNSET,
        number_type: NumberType | NumberTypeWord | UnsetType | None = UNSET,
        pattern: str | UnsetType | None = UNSET,
        quantity: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Rows[AvailableNumber]:
        """Search for phone numbers that can be ordered.

        First what is in the pool, then what the carrier sells; when the carrier cannot be reached, only the pool, and
        503 when that has none: an empty list means that none is for sale. Nothing is reserved: a number that is shown
        can be taken by somebody else before it is ordered.

        - `number_type`: What kind of number it is.
        - `quantity`: Most numbers to show. 1 to 100, 10 unless given.

        Scope: `numbers:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return self._rows(
            AvailableNumber,
            Request(
                "POST",
                "/v1/phone-numbers/search",
                body=given(
                    {"area_code": area_code, "number_type": number_type, "pattern": pattern, "quantity": quantity}
                ),
                idempotency_key=idempotency_key,
            ),
        )

    def order(
        self,
        *,
        numbers: Sequence[str],
        inbound_url: str | UnsetType | None = UNSET,
        status_url: str | UnsetType | None = UNSET,
        campaign_id: Id | UnsetType | None = UNSET,
        label: str | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Rows[PhoneNumber]:
        """Order phone numbers.

        All of them or none; the first month is charged. 201: they are assigned and can be used. 202: the carrier has
        not answered yet; poll the order at `Location`, `GET /v1/phone-numbers/orders/{id}` with `meta.order_id`. The
        numbers are assigned when the carrier answers (event `phone_number.ordered`, and only then can they be read by
        their id), or the order fails and is refunded (event `phone_number.order.failed`). 409 INSUFFICIENT_INVENTORY:
        nothing was assigned, and nothing was charged or it was refunded; `details` names what could not be had. With
        `campaign_id` the campaign is attached to each number, under the conditions of attach.

        - `numbers`: Different E.164 numbers, as a search shows them. 1 to 100 items.
        - `inbound_url`: At most 2048 characters.
        - `status_url`: At most 2048 characters.
        - `label`: At most 100 characters.

        Scope: `numbers:write`. Raises InvalidInputError, InsufficientCreditError, NotFoundError,
        IdempotencyKeyReusedError, CampaignNotActiveError, BrandNotVerifiedError, InsufficientInventoryError,
        ValidationFailedError, CampaignNeedsLocalNumberError.
        """
        return self._rows(
            PhoneNumber,
            Request(
                "POST",
                "/v1/phone-numbers/orders",
                body={
                    "numbers": numbers,
                    "inbound_url": inbound_url,
                    "status_url": status_url,
                    "campaign_id": campaign_id,
                    "label": label,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def bulk_order(
        self,
        *,
        quantity: int,
        number_type: NumberType | NumberTypeWord | UnsetType | None = UNSET,
        area_code: str | UnsetType | None = UNSET,
        pattern: str | UnsetType | None = UNSET,
        inbound_url: str | UnsetType | None = UNSET,
        status_url: str | UnsetType | None = UNSET,
        label: str | UnsetType | None = UNSET,
        mode: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> BulkOrder:
        """Order many phone numbers of a kind.

        200: they are assigned. What the pool lacks is bought while the request waits, for 20 seconds. 202: the carrier
        needs longer; poll `order_id`, or wait for the event `phone_number.bulk_order.completed`. Until then nothing is
        assigned, and in the end everything is, or nothing and the money is given back: while the request waits that is
        409 INSUFFICIENT_INVENTORY. `pattern` binds only what is available at once; numbers bought to fill the gap may
        not match it. The first month of all of them is charged when the order is taken.

        - `quantity`: 1 to 5000.
        - `number_type`: What kind of number it is.
        - `inbound_url`: At most 2048 characters.
        - `status_url`: At most 2048 characters.
        - `label`: At most 100 characters.
        - `mode`: `atomic` unless given.

        Scope: `numbers:write`. Raises InvalidInputError, InsufficientCreditError, IdempotencyKeyReusedError,
        InsufficientInventoryError, ValidationFailedError.
        """
        return self._one(
            BulkOrder,
            Request(
                "POST",
                "/v1/phone-numbers/bulk",
                body={
                    "quantity": quantity,
                    "number_type": number_type,
                    "area_code": area_code,
                    "pattern": pattern,
                    "inbound_url": inbound_url,
                    "status_url": status_url,
                    "label": label,
                    "mode": mode,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def get_bulk_order(self, bulk_id: Id) -> BulkOrder:
        """Get a bulk order.

        `processing` until it is `complete` or `failed`. `assigned_numbers` are the numbers that it came to.

        Scope: `numbers:read`. Raises ValidationFailedError, NotFoundError.
        """
        return self._one(BulkOrder, Request("GET", f"/v1/phone-numbers/bulk/{segment(bulk_id)}"))

    def bulk_release(
        self, *, ids: Sequence[Id], return_to_carrier: bool | UnsetType = UNSET, idempotency_key: str | None = None
    ) -> BulkRelease:
        """Release many phone numbers.

        Each id stands alone; duplicates count once, and every id is in exactly one list. Routing ends before the
        answer. `return_to_carrier=true` is refused for every caller: numbers are given back to the carrier one by one.

        - `return_to_carrier`: `true` is refused with 403 for every caller. False unless given.
        - `ids`: 1 to 100 items.

        Scope: `numbers:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return self._one(
            BulkRelease,
            Request(
                "POST",
                "/v1/phone-numbers/bulk/release",
                query={"return_to_carrier": return_to_carrier},
                body={"ids": ids},
                idempotency_key=idempotency_key,
            ),
        )

    def get(self, phone_number_id: Id) -> PhoneNumber:
        """Get a phone number.

        By its id, not by the number. Only a currently assigned number is found.

        Scope: `numbers:read`. Raises ValidationFailedError, NotFoundError.
        """
        return self._one(PhoneNumber, Request("GET", f"/v1/phone-numbers/{segment(phone_number_id)}"))

    def update(
        self,
        phone_number_id: Id,
        *,
        inbound_url: str | UnsetType | None = UNSET,
        status_url: str | UnsetType | None = UNSET,
        label: str | UnsetType | None = UNSET,
        campaign_id: Id | UnsetType | None = UNSET,
    ) -> PhoneNumber:
        """Change a phone number.

        Left out or null: unchanged. Empty text clears a URL or the label; `campaign_id` cannot be empty: detach
        instead. A field that cannot be changed is refused with 400. Naming a campaign attaches it, with the checks of
        attach. A URL that was given up for its failures is told again once the number is changed.

        - `inbound_url`: At most 2048 characters.
        - `status_url`: At most 2048 characters.
        - `label`: At most 100 characters.

        Scope: `numbers:write`. Raises ValidationFailedError, InvalidInputError, NotFoundError, CampaignNotActiveError,
        BrandNotVerifiedError, CampaignNeedsLocalNumberError.
        """
        return self._one(
            PhoneNumber,
            Request(
                "PATCH",
                f"/v1/phone-numbers/{segment(phone_number_id)}",
                body={"inbound_url": inbound_url, "status_url": status_url, "label": label, "campaign_id": campaign_id},
            ),
        )

    def release(self, phone_number_id: Id, *, return_to_carrier: bool | UnsetType = UNSET) -> Released:
        """Release a phone number.

        Its URLs and its campaign are cleared before the answer. The carrier unbinds it, and after a quarantine of 30
        days it goes back into the pool; with `return_to_carrier=true`, for operators only, it is given back to the
        carrier.

        - `return_to_carrier`: Give the number back to the carrier; `platform:inventory:write` only. False unless given.

        Scope: `numbers:write`. Raises ValidationFailedError, NotFoundError, NumberNotAssignedError.
        """
        return self._one(
            Released,
            Request(
                "DELETE",
                f"/v1/phone-numbers/{segment(phone_number_id)}",
                query={"return_to_carrier": return_to_carrier},
            ),
        )

    def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        number_type: NumberType | NumberTypeWord | UnsetType = UNSET,
        campaign_id: Id | UnsetType = UNSET,
        search: str | UnsetType = UNSET,
    ) -> Page[PhoneNumber]:
        """List phone numbers.

        Newest first. With `search` a page can hold fewer rows than `limit`, or none, while more follow: go on until
        `meta.next_cursor` is null. `meta.last_event_at` is the time of the organization's newest phone-number event.

        - `offset`: Rows to skip; not together with `cursor`. 0 to 1000000.
        - `limit`: 1 to 100, 20 unless given.
        - `number_type`: What kind of number it is.
        - `search`: Part of the number or of the label. 1 to 100 characters.

        Scope: `numbers:read`. Raises ValidationFailedError.
        """
        return self._page(
            PhoneNumber,
            Request(
                "GET",
                "/v1/phone-numbers",
                query={
                    "cursor": cursor,
                    "offset": offset,
                    "limit": limit,
                    "number_type": number_type,
                    "campaign_id": campaign_id,
                    "search": search,
                },
            ),
        )

    def attach_campaign(
        self, phone_number_id: Id, *, campaign_id: Id, idempotency_key: str | None = None
    ) -> PhoneNumber:
        """Attach a campaign to a phone number.

        The link is recorded at once; the carrier follows by reconciliation, see `carrier_line_option_status`. Attaching
        another campaign replaces the present one; the same one again changes nothing. Checked in this order: the
        campaign exists, it is ACTIVE, its brand is VERIFIED or VETTED_VERIFIED, the number is yours, it is assigned, it
        is a local one: a toll-free number takes no 10DLC campaign.

        Scope: `numbers:write`. Raises ValidationFailedError, InvalidInputError, NotFoundError,
        IdempotencyKeyReusedError, CampaignNotActiveError, BrandNotVerifiedError, NumberNotAssignedError,
        CampaignNeedsLocalNumberError.
        """
        return self._one(
            PhoneNumber,
            Request(
                "POST",
                f"/v1/phone-numbers/{segment(phone_number_id)}/campaign",
                body={"campaign_id": campaign_id},
                idempotency_key=idempotency_key,
            ),
        )

    def detach_campaign(self, phone_number_id: Id) -> PhoneNumber:
        """Detach a campaign from a phone number.

        Removes the association from a number that you own; the carrier side is unbound by reconciliation afterwards.
        Idempotent: a number without a campaign answers 200 with the resource as it is, and nothing is written.

        Scope: `numbers:write`. Raises ValidationFailedError, NotFoundError, NumberNotAssignedError.
        """
        return self._one(PhoneNumber, Request("DELETE", f"/v1/phone-numbers/{segment(phone_number_id)}/campaign"))

    def get_carrier_line_option(self, phone_number_id: Id) -> LineOption:
        """Say what is wanted at the carrier, what was seen there, and what happens next.

        Wish and observation side by side, the phase, attempts, the last error with a way out, the carrier's order id,
        operators' states where the carrier tells them, and the last 50 transitions, newest first.

        Scope: `numbers:read`. Raises ValidationFailedError, NotFoundError.
        """
        return self._one(
            LineOption, Request("GET", f"/v1/phone-numbers/{segment(phone_number_id)}/carrier-line-option")
        )
