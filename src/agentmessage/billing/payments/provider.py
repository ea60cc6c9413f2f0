"""The protocol of a card processor: the calls that the platform makes, and the events that it gets.

Every call gives one of the four answers of `carriers.port`. A charge whose answer is Unknown is looked up before it is
asked for again, and asked for again only under its own key.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from agentmessage.billing.payments.model import Product, SubscriptionStatus
from agentmessage.carriers.protocols import Answer

NO_SUCH_OBJECT = "resource_missing"
"""The code of a refusal when what we named is not there, as a deleted customer (Stripe, error codes)."""


class CheckoutRequest(Struct, frozen=True, kw_only=True):
    """A page where one top-up can be paid for."""

    topup_id: UUID
    org_id: UUID
    customer_id: str
    product: Product
    success_url: str
    cancel_url: str


class Checkout(Struct, frozen=True):
    """The page. `payment_id` is there when it is paid already, as in a sandbox."""

    session_id: str
    url: str
    payment_id: str | None = None


class ChargeRequest(Struct, frozen=True, kw_only=True):
    """A charge of a saved card without the customer."""

    topup_id: UUID
    org_id: UUID
    customer_id: str
    payment_method: str
    amount_cents: int


class PaymentState(StrEnum):
    """Where a payment stands; a processing one is decided later, by an event."""

    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"


class Payment(Struct, frozen=True):
    """A payment as the processor shows it; `failure` is its code."""

    id: str
    state: PaymentState
    amount_cents: int
    currency: str
    failure: str | None = None


class Portal(Struct, frozen=True):
    """A page where a customer manages cards and receipts, good until `expires_at` unless it is opened."""

    url: str
    expires_at: datetime


class Refund(Struct, frozen=True):
    """Money given back to the card. `is_undone`: it did not get there, and is ours again."""

    id: str
    amount_cents: int
    is_undone: bool


class PaymentProvider(Protocol):
    """Takes money. Holds connections, never a database handle."""

    @property
    def requires_https(self) -> bool:
        """Real money: pages that customers are sent back to must be https."""
        ...

    @property
    def source(self) -> str:
        """What the ledger calls its money."""
        ...

    async def open_customer(
        self, org_id: UUID, *, name: str, email: str | None, instead_of: str | None = None
    ) -> Answer[str]:
        """Make the organization known; answers the customer's id, the same when asked again soon.

        `instead_of` is a customer that is not there any more.
        """
        ...

    async def open_checkout(self, request: CheckoutRequest) -> Answer[Checkout]:
        """Make a page to pay at; the same page when asked again soon."""
        ...

    async def open_portal(self, customer_id: str, *, return_url: str) -> Answer[Portal]:
        """Make a page to manage cards at."""
        ...

    async def find_payment_method(self, customer_id: str) -> Answer[str | None]:
        """The card to charge without the customer; None: the customer has saved none."""
        ...

    async def charge(self, request: ChargeRequest) -> Answer[Payment]:
        """Charge a saved card. Refused means that nothing was taken."""
        ...

    async def find_charge(self, request: ChargeRequest, *, since: datetime) -> Answer[Payment | None]:
        """The payment that an earlier `charge` made, if it did."""
        ...

    async def read_payment(self, payment_id: str) -> Answer[Payment]:
        """How a payment stands."""
        ...

    async def list_refunds(self, payment_id: str) -> Answer[Sequence[Refund]]:
        """What was given back of a payment, in parts or whole."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Bought(Struct, frozen=True, kw_only=True):
    """A top-up was paid."""

    org_id: UUID
    topup_id: UUID
    payment_id: str
    amount_cents: int
    currency: str


class PaymentFailed(Struct, frozen=True, kw_only=True):
    """A top-up was not paid: a refused card, or a checkout that expired."""

    org_id: UUID
    topup_id: UUID
    payment_id: str | None
    failure: str


class RefundMoved(Struct, frozen=True, kw_only=True):
    """Something was given back of a payment, or came back from there: read what. `org_id` where the event names it."""

    payment_id: str
    org_id: UUID | None


class Dispute(Struct, frozen=True, kw_only=True):
    """The bank takes a payment back. `is_won`: it gave it to us again."""

    id: str
    payment_id: str
    amount_cents: int
    is_won: bool


class SubscriptionMoved(Struct, frozen=True, kw_only=True):
    """How the customer's subscription stands."""

    customer_id: str
    subscription_id: str
    standing: SubscriptionStatus


Fact = Bought | PaymentFailed | RefundMoved | Dispute | SubscriptionMoved


class Notice(Struct, frozen=True):
    """An event of the processor; `fact` None: it is not ours, or it changes nothing here."""

    id: str
    kind: str
    reported_at: datetime
    fact: Fact | None


class NoticeReader(Protocol):
    """Reads the processor's events."""

    def read(self, body: bytes, signature: str) -> Notice:
        """Verify and read; pure but for the clock. Raises ForgedCallback or UnreadableCallback."""
        ...
