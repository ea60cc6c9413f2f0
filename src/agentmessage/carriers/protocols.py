"""What the house asks of a carrier or registry, and the four answers it may get.

    Answer
    ├── Accepted   it is so; carries what the carrier said
    ├── Refused    it will not be so until something changes; carries the trouble and the carrier's own code
    ├── Deferred   nothing was done; ask again in retry_after_s
    └── Unknown    the line broke after we spoke: it may or may not be so; never repeat blindly, look it up

A refusal is a value; only our own bugs raise.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

E164 = str
"""A number as +1NPANXXXXXX; adapters normalize both ways."""


class Trouble(StrEnum):
    """Why a carrier would not, sorted by what to do about it."""

    LOCKED = "locked"  # the number is busy in another order: wait and look again
    TRANSIENT = "transient"  # the carrier is ill: back off
    CAMPAIGN_NOT_READY = "campaign_not_ready"  # wait for the campaign
    CAMPAIGN_ASLEEP = "campaign_asleep"  # the first attempt wakes it; ask once more
    CAMPAIGN_DEAD = "campaign_dead"  # expired or suspended: until the campaign or the wish changes
    CAPACITY = "capacity"  # the campaign is full: until a slot frees
    OWNERSHIP = "ownership"  # not ours, or routed elsewhere: the operator
    CONFIGURATION = "configuration"  # our account or our request is wrong: the operator
    MONEY = "money"  # the carrier wants to be paid: pause and tell the operator
    UNCLASSIFIED = "unclassified"  # a code that no rule knows: retry, with a cap


T_co = TypeVar("T_co", covariant=True)


class Accepted(Struct, Generic[T_co], frozen=True):
    """It is so."""

    value: T_co


class Refused(Struct, frozen=True):
    """It will not be so until something changes. `code` and `text` are the carrier's own words."""

    trouble: Trouble
    code: str
    text: str


class Deferred(Struct, frozen=True):
    """Nothing was done; the carrier (or our own budget) asks for `retry_after_s` seconds of patience."""

    reason: str
    retry_after_s: float


class Unknown(Struct, frozen=True):
    """The line broke after we spoke, or the answer could not be understood; `raw` is what came back, if anything."""

    reason: str
    raw: str = ""


T = TypeVar("T")
Answer = Accepted[T] | Refused | Deferred | Unknown
"""What every call gives; match all four, then `assert_never`."""


# ── line options: which campaign a number is on ─────────────────────────────────────────────────────────────


class LineChange(Struct, frozen=True):
    """One member of an order: put `number` on `campaign` (the registry's id), or, when None, take it off."""

    number: E164
    campaign: str | None


class OrderState(StrEnum):
    """Where a carrier order stands. PARTIAL: some members failed, the rest are done."""

    RECEIVED = "received"
    PROCESSING = "processing"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class OrderStanding(Struct, frozen=True):
    """What is known of any order: the carrier's id, our own key (empty where not repeated), and its state."""

    carrier_order_id: str
    order_key: str
    state: OrderState

    @property
    def is_final(self) -> bool:
        """Nothing more will change in this order."""
        return self.state in (OrderState.COMPLETE, OrderState.PARTIAL, OrderState.FAILED)


class OrderReport(OrderStanding, frozen=True):
    """A carrier order as last read.

    `refused` and `warned` are per number; a final order's other members were accepted. Accepted is not propagated.
    """

    refused: Mapping[E164, Refused]
    warned: Mapping[E164, str]


class LineReading(Struct, frozen=True):
    """One number as the carrier shows it: the campaign it is on, and how far each mobile operator has followed.

    `operators` maps an operator's registry id (10017 AT&T, 10035 T-Mobile, 10036 US Cellular, 10038 Verizon) to
    `pending`, `added` or `failed`, where the carrier tells. `is_settled`: the carrier says that nothing is under way
    and nothing went wrong. `has_failed`: it tried and could not, and will not go on by itself.
    """

    number: E164
    campaign: str | None
    is_settled: bool
    operators: Mapping[str, str]
    has_failed: bool = False


class LinePage(Struct, frozen=True):
    """One page of readings; `next_page` goes into the next call, None on the last."""

    readings: Sequence[LineReading]
    next_page: str | None


class LineOptions(Protocol):
    """Puts numbers on campaigns and takes them off, by orders that settle later."""

    @property
    def max_batch(self) -> int:
        """Most members of one order."""
        ...

    async def submit(self, order_key: str, changes: Sequence[LineChange]) -> Answer[str]:
        """Hand over one order under our own key (at most 40 of letters, digits, dash); answers the carrier's order id.

        A Refused here refuses every member. The same key must never be handed over for two different orders.
        """
        ...

    async def read_order(self, carrier_order_id: str) -> Answer[OrderReport]:
        """Where an order stands. Refused: the carrier says it has no such order."""
        ...

    async def find_order(self, order_key: str) -> Answer[OrderReport | None]:
        """Look an order up by our own key, after a crash or a time-out; None: the carrier has no such order."""
        ...

    async def read_campaign(self, campaign: str, page: str | None = None) -> Answer[LinePage]:
        """The numbers that the carrier has on one campaign (filtered again on our side: their filters lie)."""
        ...

    async def read_all(self, page: str | None = None) -> Answer[LinePage]:
        """Every number of the account, with or without a campaign: what the drift sweep compares against."""
        ...


# ── numbers: what can be bought, and what we hold ──────────────────────────────────────────────────────────


class AvailableNumber(Struct, frozen=True):
    """A number that the carrier would sell at this moment; nothing is reserved."""

    number: E164
    number_type: str  # local | toll_free | short_code


class PurchaseReport(OrderStanding, frozen=True):
    """A purchase or a disconnection as last read: which numbers are done, which were refused."""

    done: Sequence[E164]
    refused: Mapping[E164, Refused]


class NumberPage(Struct, frozen=True):
    """One page of the numbers in service; `next_page` is None on the last."""

    numbers: Sequence[E164]
    next_page: str | None


class NumberSource(Protocol):
    """Finds, buys and gives back numbers."""

    async def search(
        self, *, area_code: str | None, number_type: str, pattern: str | None, quantity: int
    ) -> Answer[Sequence[AvailableNumber]]:
        """What is for sale now, at most `quantity`."""
        ...

    async def buy(self, order_key: str, numbers: Sequence[E164]) -> Answer[str]:
        """Order exactly these numbers under our own key; answers the carrier's order id."""
        ...

    async def read_purchase(self, carrier_order_id: str) -> Answer[PurchaseReport]:
        """Where a purchase stands."""
        ...

    async def find_purchase(self, order_key: str) -> Answer[PurchaseReport | None]:
        """Look a purchase up by our own key, after a crash or a time-out."""
        ...

    async def disconnect(self, order_key: str, numbers: Sequence[E164]) -> Answer[str]:
        """Give numbers back to the carrier; answers the carrier's order id.

        A lost disconnection is recovered by `read_in_service`: the carrier need not be able to find it by its key.
        """
        ...

    async def read_disconnection(self, carrier_order_id: str) -> Answer[PurchaseReport]:
        """Where a disconnection stands; `done` are the numbers that are gone."""
        ...

    async def read_in_service(self, page: str | None = None) -> Answer[NumberPage]:
        """The numbers that the carrier says we hold."""
        ...


# ── registry: brands and campaigns ─────────────────────────────────────────────────────────────────────────


class BrandFiling(Struct, frozen=True):
    """A brand as it is told to the registry. `reference_id` is ours and unique: the recovery key after a crash.

    `fields` holds the rest under our own snake_case names (company_name, ein, email, phone, street, …), unset left out.
    """

    reference_id: str
    entity_type: str
    brand_relationship: str
    display_name: str
    country: str
    fields: Mapping[str, str]


class RegisteredBrand(Struct, frozen=True):
    """A brand as the registry shows it. `identity_status` is None until the registry has looked."""

    tcr_brand_id: str
    reference_id: str
    identity_status: str | None
    feedback: Sequence[str] = ()


class CampaignFiling(Struct, frozen=True):
    """A campaign as it is told to the registry; `fields` under our own names, unset left out."""

    reference_id: str
    tcr_brand_id: str
    usecase: str
    description: str
    fields: Mapping[str, str | bool | Sequence[str]]


class RegisteredCampaign(Struct, frozen=True):
    """A campaign as registry and operators show it.

    `status`: PENDING (in review), ACTIVE, REJECTED, SUSPENDED (comes back), EXPIRED (final).
    `mno_metadata` is keyed by operator id and keeps the registry's own camelCase keys.
    """

    tcr_campaign_id: str
    reference_id: str
    status: str
    is_shared: bool
    mno_metadata: Mapping[str, Mapping[str, str | int | float | bool | None]]
    rejection_reasons: Sequence[str] = ()
    billed_on: date | None = None
    renews_on: date | None = None


class Registry(Protocol):
    """Files brands and campaigns, and says how they stand."""

    async def file_brand(self, filing: BrandFiling) -> Answer[RegisteredBrand]:
        """Register a brand; identity follows later."""
        ...

    async def update_brand(self, tcr_brand_id: str, filing: BrandFiling) -> Answer[RegisteredBrand]:
        """Change a brand; a changed legal name or tax id is looked at again."""
        ...

    async def read_brand(self, tcr_brand_id: str) -> Answer[RegisteredBrand]:
        """How a brand stands."""
        ...

    async def find_brand(self, reference_id: str) -> Answer[RegisteredBrand | None]:
        """Look a brand up by our own reference, after a crash or a time-out."""
        ...

    async def delete_brand(self, tcr_brand_id: str) -> Answer[None]:
        """Delete for good; refused while an active campaign hangs on it. Already gone is Accepted."""
        ...

    async def file_campaign(self, filing: CampaignFiling) -> Answer[RegisteredCampaign]:
        """Register a campaign and share it with the carrier; review follows.

        Accepted with `is_shared` false: it is registered, and `share_campaign` has yet to hand it on.
        """
        ...

    async def share_campaign(self, tcr_campaign_id: str) -> Answer[None]:
        """Hand a registered campaign on to the carrier; already handed on is Accepted."""
        ...

    async def read_campaign(self, tcr_campaign_id: str) -> Answer[RegisteredCampaign]:
        """How a campaign stands with the registry and each operator."""
        ...

    async def find_campaign(self, reference_id: str) -> Answer[RegisteredCampaign | None]:
        """Look a campaign up by our own reference."""
        ...

    async def deactivate_campaign(self, tcr_campaign_id: str) -> Answer[None]:
        """Deactivate for good; already gone is Accepted."""
        ...


# ── callbacks ──────────────────────────────────────────────────────────────────────────────────────────────


class Callback(Struct, frozen=True):
    """One HTTP request that a carrier or registry made to us, unread."""

    headers: Mapping[str, str]  # names in lower case
    url: str
    body: bytes
    received_at: datetime


class OrderKind(StrEnum):
    """Which of the carrier's order books an order is in."""

    LINE_OPTIONS = "line_options"
    PURCHASE = "purchase"
    DISCONNECTION = "disconnection"


class OrderHint(Struct, frozen=True):
    """A carrier says that an order moved. A hint: the order is read before anything is believed.

    `order_key` is empty where the carrier did not repeat it.
    """

    carrier_order_id: str
    order_key: str
    kind: OrderKind = OrderKind.LINE_OPTIONS


class BrandHint(Struct, frozen=True):
    """The registry says that a brand moved."""

    tcr_brand_id: str


class CampaignHint(Struct, frozen=True):
    """The registry says that a campaign moved."""

    tcr_campaign_id: str


Hint = OrderHint | BrandHint | CampaignHint


class ForgedCallback(Exception):
    """The callback does not carry the credentials or the signature that we agreed on."""


class UnreadableCallback(Exception):
    """The callback is authentic but not understood: stored raw, counted, shown to the operator."""
