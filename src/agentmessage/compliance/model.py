"""What is asked of the law, and the facts it is decided by."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentmessage.billing.model import TIERS
from agentmessage.guardrails.model import FrequencyCap, Resolved
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.token_bucket import refill, wait_s
from agentmessage.sms.segments import USUAL, Encoding, Layout

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""From here on an opening is none: no two places of the recipient are awake at once."""

RATES = {tier.number: (tier.per_second, tier.per_minute) for tier in TIERS}
"""Texts per second and per minute by throughput tier."""


PACED = frozenset({"customer"})
"""Kinds of text that take from the organization's buckets."""

UNCOUNTED = frozenset({"auto_reply"})
"""Kinds that no frequency cap counts."""

UNTIMED = frozenset({"auto_reply"})
"""Kinds that go out at any hour: whoever texts at night is awake."""

UNSTAMPED = frozenset({"auto_reply"})
"""Kinds whose text names the sender by itself."""


VALIDITY_S = 14_400
"""How long a message may wait for its carrier where the customer says nothing: four hours."""


class Priority(StrEnum):
    """`high` overtakes in the queue, never in law."""

    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"


class Ask(Struct, frozen=True):
    """May this text go out? `due_at` is when it would: now, or when it is scheduled for."""

    org_id: UUID
    account: str
    sender: str
    recipient: str
    kind: str
    due_at: datetime


class Facts(Struct, frozen=True):
    """Everything on record about one sender and one recipient, read in one statement.

    `suppressed_by` and `opted_out_at` are of the pair's own record; `out_number`, `out_scope` and `out_at` are of an
    opt-out that reaches the sender, whichever number was told. `history` is JSON, as stored; see `ContactHistory`.
    """

    phone_number_id: UUID | None
    campaign_id: UUID | None
    line_option_status: str | None
    campaign_status: str | None
    campaign_is_suspended: bool | None
    brand_id: UUID | None
    pool_id: UUID | None
    opted_in: bool | None
    opted_in_at: datetime | None
    suppressed_by: str | None
    opted_out_at: datetime | None
    out_number: str | None
    out_scope: str | None
    out_at: datetime | None
    line_type: str | None
    history: str | None


class ContactHistory(Struct):
    """What is remembered of one recipient, in milliseconds since 1970; shared by all texts that are judged together.

    `sent`: when it was lately texted, or is going to be, for each scope whose cap counts it. `disclosed`: when each
    number last told it who is texting.
    """

    sent: dict[str, Sequence[int]] = {}
    disclosed: dict[str, int] = {}


class Account(Struct, frozen=True):
    """One organization as its texts are decided: money, pace and its own settings.

    `version` grows with every admission and every change of the law, so whoever writes what was decided by one can tell
    whether it still holds; None: the organization never sent. `quiet_hours` is JSON, as stored. `rungs` names all that
    guardrail profiles are bound to, with their revisions; None: that is too much to be read for every flush.
    """

    org_id: UUID
    version: int | None
    balance_microcents: int
    held_microcents: int
    second_tokens: float
    minute_tokens: float
    refilled_at: datetime | None
    throughput_tier: int
    throughput_per_sec: int | None
    throughput_per_min: int | None
    quiet_hours: str
    rungs: str | None

    @property
    def per_second(self) -> int:
        """Texts per second, which is also the burst."""
        return self.throughput_per_sec or RATES.get(self.throughput_tier, RATES[1])[0]

    @property
    def per_minute(self) -> int:
        """Texts per minute, which is also the burst."""
        return self.throughput_per_min or RATES.get(self.throughput_tier, RATES[1])[1]


class Ahead(Struct, frozen=True):
    """What a flush changes of one organization while it is being written: of use to whoever reads what was before it.

    `base` is the version that it was judged by and `version` the one that it leaves, which nobody else ever gives: by
    them a reader knows what it has read, and what it has judged. `histories` are those of its recipients.
    """

    base: int
    version: int
    admitted_microcents: int
    second_tokens: float
    minute_tokens: float
    at: datetime
    histories: Mapping[str, "ContactHistory"]

    def applied(self, account: Account) -> Account:
        """The account of `base` as it is going to be."""
        return replace(
            account,
            version=self.version,
            held_microcents=account.held_microcents + self.admitted_microcents,
            second_tokens=self.second_tokens,
            minute_tokens=self.minute_tokens,
            refilled_at=self.at,
        )


class Case(Struct, frozen=True):
    """One text before the law.

    `opens_at` is when the quiet hours that it falls into end; None: it falls into none.
    Whoever is admitted is counted in the history. `layout`: how its carrier is sent it.
    """

    ask: Ask
    facts: Facts
    resolved: Resolved
    opens_at: datetime | None
    history: ContactHistory
    requires_propagation: bool
    layout: Layout = USUAL


_decode_submissions = msgspec.json.Decoder(dict[str, int]).decode


class CapCounter:
    """Texts to one contact that one scope's cap counts, by when they were handed over: milliseconds since 1970.

    `noted` are those that are about to be; `submissions` is what is stored, once they are, and comes as JSON;
    None: nothing is stored yet.
    """

    def __init__(self, org_id: UUID, contact: str, scope_id: UUID, submissions: str | None = None) -> None:
        self.org_id = org_id
        self.contact = contact
        self.scope_id = scope_id
        self.is_stored = submissions is not None
        self.submissions = {} if submissions is None else _decode_submissions(submissions)
        self.noted: dict[str, int] = {}

    def moments(self, message_id: UUID) -> list[int]:
        """When the others were handed over, in order: a text that a carrier put off does not stand in its own way."""
        counted = self.submissions | self.noted
        return sorted(moment for other, moment in counted.items() if other != str(message_id))


class Judged(Struct, frozen=True):
    """What the law says about a text at its hand-over: why it may never go, or when it may, None being now.

    `counter` is what counts it if it goes, `cap` the cap that does.
    """

    refusal: ApiError | None
    ready_at: datetime | None
    cap: FrequencyCap | None = None
    counter: CapCounter | None = None


class Weight(Struct, frozen=True):
    """What a text comes to: what is appended to it, its coding, its parts and the price of all of them."""

    appended_text: str | None
    encoding: Encoding
    segments: int
    price_microcents: int


class Purse:
    """What one organization may still admit in this transaction: credit and pace. Taking is final."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account = account
        self.left_microcents = account.balance_microcents - account.held_microcents
        idle_s = 3_600.0 if account.refilled_at is None else (now - account.refilled_at).total_seconds()
        self.second_tokens = refill(
            account.second_tokens, idle_s, capacity=account.per_second, per_second=account.per_second
        )
        self.minute_tokens = refill(
            account.minute_tokens, idle_s, capacity=account.per_minute, per_second=account.per_minute / 60
        )
        self.admitted_microcents = 0

    def covers(self, price_microcents: int) -> bool:
        """The wallet covers what is queued plus this."""
        return price_microcents <= self.left_microcents

    def wait_s(self) -> int:
        """Whole seconds until both buckets have a token; 0: now."""
        if self.second_tokens >= 1 and self.minute_tokens >= 1:
            return 0
        by_second = wait_s(self.second_tokens, 1, per_second=self.account.per_second)
        by_minute = wait_s(self.minute_tokens, 1, per_second=self.account.per_minute / 60)
        return math.ceil(max(by_second, by_minute))

    def take(self, price_microcents: int, kind: str) -> None:
        """Admit one text."""
        self.left_microcents -= price_microcents
        self.admitted_microcents += price_microcents
        if kind in PACED:
            self.second_tokens -= 1
            self.minute_tokens -= 1
