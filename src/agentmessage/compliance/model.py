"""Requests to send, the facts they are decided by, and decisions."""

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
"""An end of quiet hours from here on means none: the recipient's time zones are never outside them at once."""

TIER_RATES = {tier.number: (tier.per_second, tier.per_minute) for tier in TIERS}
"""Messages per second and per minute by throughput tier."""


RATE_LIMITED_KINDS = frozenset({"customer"})
"""Kinds of message that take from the organization's token buckets."""

UNCAPPED_KINDS = frozenset({"auto_reply"})
"""Kinds that no frequency cap counts."""

ANY_HOUR_KINDS = frozenset({"auto_reply"})
"""Kinds that quiet hours do not apply to: the contact has just written."""

UNDISCLOSED_KINDS = frozenset({"auto_reply"})
"""Kinds whose text already names the sender."""


VALIDITY_S = 14_400
"""Default of `validity_s`, how long a message may wait for its carrier: four hours."""


class Priority(StrEnum):
    """Rank in the queue. Every priority has the same compliance checks."""

    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"


class SendRequest(Struct, frozen=True):
    """A message to evaluate. `due_at` is when it would be sent: now, or when it is scheduled for."""

    org_id: UUID
    account: str
    sender: str
    recipient: str
    kind: str
    due_at: datetime


class SendFacts(Struct, frozen=True):
    """Everything stored about one sender and one recipient, read in one statement.

    `suppressed_by` and `opted_out_at` are of the pair's own consent record; `out_number`, `out_scope` and `out_at` are
    of an opt-out that reaches the sender, whichever number received it. `history` is JSON; see `ContactHistory`.
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
    """Past and scheduled messages to one recipient, in milliseconds since 1970; shared by a whole flush.

    `sent`: when messages were or will be sent, for each scope whose cap counts them. `disclosed`: when each number last
    sent the sender's disclosure.
    """

    sent: dict[str, Sequence[int]] = {}
    disclosed: dict[str, int] = {}


class SendAccount(Struct, frozen=True):
    """One organization: its credit, token buckets and settings.

    `version` changes with every admission and every change of facts that decide, so that a flush knows whether its
    decisions still hold; None: the organization never sent. `quiet_hours` is JSON. `bindings` names the scopes with
    guardrail profiles, and the profiles' revisions; None: they are too many to be read for every flush.
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
    bindings: str | None

    @property
    def per_second(self) -> int:
        """Messages per second, which is also the burst."""
        return self.throughput_per_sec or TIER_RATES.get(self.throughput_tier, TIER_RATES[1])[0]

    @property
    def per_minute(self) -> int:
        """Messages per minute, which is also the burst."""
        return self.throughput_per_min or TIER_RATES.get(self.throughput_tier, TIER_RATES[1])[1]


class PendingFlush(Struct, frozen=True):
    """What a flush that is being written changes of one organization.

    `base` is the version that it was judged by, `version` the one that it leaves, which no other flush ever leaves. A
    reader that finds `base` applies these changes. `histories` are those of its recipients.
    """

    base: int
    version: int
    admitted_microcents: int
    second_tokens: float
    minute_tokens: float
    at: datetime
    histories: Mapping[str, "ContactHistory"]

    def applied(self, account: SendAccount) -> SendAccount:
        """The account as it will be after the flush."""
        return replace(
            account,
            version=self.version,
            held_microcents=account.held_microcents + self.admitted_microcents,
            second_tokens=self.second_tokens,
            minute_tokens=self.minute_tokens,
            refilled_at=self.at,
        )


class Evaluation(Struct, frozen=True):
    """One request with everything that decides it.

    `opens_at` is the end of the quiet hours that it falls into; None: it falls into none. An admitted message is
    counted in `history`. `layout`: how its carrier splits it into parts.
    """

    request: SendRequest
    facts: SendFacts
    resolved: Resolved
    opens_at: datetime | None
    history: ContactHistory
    requires_propagation: bool
    layout: Layout = USUAL


_decode_submissions = msgspec.json.Decoder(dict[str, int]).decode


class CapCounter:
    """Messages to one contact that one scope's cap counts, by the time of their submission: milliseconds since 1970.

    `reserved` are those that are about to be submitted in this transaction; `submissions` are stored, as JSON. None:
    nothing is stored yet.
    """

    def __init__(self, org_id: UUID, contact: str, scope_id: UUID, submissions: str | None = None) -> None:
        self.org_id = org_id
        self.contact = contact
        self.scope_id = scope_id
        self.is_stored = submissions is not None
        self.submissions = {} if submissions is None else _decode_submissions(submissions)
        self.reserved: dict[str, int] = {}

    def send_times(self, message_id: UUID) -> list[int]:
        """When other messages were submitted, in order. A deferred message does not count against itself."""
        counted = self.submissions | self.reserved
        return sorted(moment for other, moment in counted.items() if other != str(message_id))


class Decision(Struct, frozen=True):
    """The result of a recheck: why the message must not be sent, or from when it may be; None: now.

    `counter` counts it for `cap` if it is submitted.
    """

    error: ApiError | None
    ready_at: datetime | None
    cap: FrequencyCap | None = None
    counter: CapCounter | None = None


class Cost(Struct, frozen=True):
    """What a message costs: the text that is appended to it, its encoding, its segments and their price."""

    appended_text: str | None
    encoding: Encoding
    segments: int
    price_microcents: int


class SendAllowance:
    """What one organization may still admit in this flush: credit and token buckets."""

    def __init__(self, account: SendAccount, now: datetime) -> None:
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
        """Whether the wallet covers what is queued plus this."""
        return price_microcents <= self.left_microcents

    def wait_s(self) -> int:
        """Whole seconds until both buckets have a token; 0: now."""
        if self.second_tokens >= 1 and self.minute_tokens >= 1:
            return 0
        by_second = wait_s(self.second_tokens, 1, per_second=self.account.per_second)
        by_minute = wait_s(self.minute_tokens, 1, per_second=self.account.per_minute / 60)
        return math.ceil(max(by_second, by_minute))

    def take(self, price_microcents: int, kind: str) -> None:
        """Take the price and the tokens of one admitted message."""
        self.left_microcents -= price_microcents
        self.admitted_microcents += price_microcents
        if kind in RATE_LIMITED_KINDS:
            self.second_tokens -= 1
            self.minute_tokens -= 1
