"""A text that a worker may hand over, and what came of it; pure.

A claim is written before the carrier hears of it and dropped in the transaction that records the outcome, so a crash in
between leaves a claim that outlives its worker: an unknown outcome, never a second text.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from agentmessage.billing.model import Charge
from agentmessage.carriers.messaging import THROTTLED, OutboundText, TextAnswer, TextError, TextRefused
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown
from agentmessage.kernel.backoff import backoff_s
from agentmessage.messages.model import Cause, Status

MOST_DEFERRALS = 20
"""Times that a carrier may put a text off, speed aside, before it has failed."""

LAST_DELAY_S = 600.0
WORDS = 500


class Claim(Struct, frozen=True):
    """One text as its worker holds it. `queue_id` paces it: a campaign, or a number without one."""

    message_id: UUID
    org_id: UUID
    phone_number_id: UUID
    queue_id: UUID
    brand_id: UUID | None
    kind: str
    sender: str
    recipient: str
    text: str
    media: Sequence[str]
    channel: str
    segments: int
    priority: int
    price_microcents: int
    expires_at: datetime
    attempts: int

    def outbound(self) -> OutboundText:
        """As the carrier is told of it."""
        return OutboundText(
            message_id=self.message_id,
            sender=self.sender,
            recipient=self.recipient,
            text=self.text,
            media=self.media,
            segments=self.segments,
            priority=self.priority,
            expires_at=self.expires_at,
        )


class Over(Struct, frozen=True):
    """Not handed over, because it must not be any more."""

    status: Status
    cause: Cause
    error: str
    text: str | None = None


Outcome = TextAnswer | Over
"""What came of a claim."""


class Ending(Struct, frozen=True, kw_only=True):
    """A claim that is over: the text has moved. `carrier_message_ids` where the carrier took it; then it is charged."""

    claim: Claim
    status: Status
    cause: Cause
    error: str | None = None
    code: str | None = None
    text: str | None = None
    carrier_message_ids: Sequence[str] = ()

    @property
    def is_taken(self) -> bool:
        """The carrier has it."""
        return self.status is Status.SENT

    @property
    def is_unnamed(self) -> bool:
        """The carrier has it or may have it, and no id tells its receipts."""
        return self.error == TextError.UNKNOWN if not self.is_taken else not any(self.carrier_message_ids)


class TakenPart(Struct, frozen=True):
    """One part that the carrier took, under the id by which receipts will name it."""

    carrier_message_id: str
    message_id: UUID
    org_id: UUID
    part: int
    parts: int


def taken_parts(endings: Sequence[Ending]) -> Sequence[TakenPart]:
    """The parts of messages that the carrier took, in the order of their ids, which are all different.

    A carrier may give all parts of a message one id: then they are one part, of which one receipt speaks. Where it
    gives none, or gives the same to a later message, the part has an id of ours that no receipt names.
    """
    found: dict[str, TakenPart] = {}
    for ending in endings:
        claim = ending.claim
        names = list(dict.fromkeys(name for name in ending.carrier_message_ids if name))
        for number, name in enumerate(names or [nameless(claim.message_id)], start=1):
            if (older := found.get(name)) is not None:
                unnamed = replace(older, carrier_message_id=nameless(older.message_id, older.part))
                found[unnamed.carrier_message_id] = unnamed
            found[name] = TakenPart(name, claim.message_id, claim.org_id, number, max(1, len(names)))
    return [found[name] for name in sorted(found)]


def nameless(message_id: UUID, part: int = 1) -> str:
    """An id of ours for a part to which the carrier gave none: no receipt names it, but its wait ends."""
    return f"~{message_id}.{part}"


class Postponement(Struct, frozen=True):
    """A claim that goes back to the queue, surely unsent. `is_first`: it keeps its place, and its lane waits."""

    claim: Claim
    delay_s: float
    is_first: bool


def charge_of(claim: Claim) -> Charge:
    """What a text costs that the carrier took: once, per segment, at the price that was frozen when it was admitted."""
    return Charge(
        kind=f"outbound_{claim.channel}",
        quantity=claim.segments,
        unit_cost_microcents=claim.price_microcents // claim.segments,
        source="outbound",
        source_ref=str(claim.message_id),
        ref_kind="message",
        ref_id=claim.message_id,
    )


def verdict(claim: Claim, outcome: Outcome, *, retries_unknown: bool) -> Ending | Postponement:
    """What an outcome means for the text."""
    match outcome:
        case Accepted(handed):
            return Ending(
                claim=claim,
                status=Status.SENT,
                cause=Cause.ACCEPTED_BY_CARRIER,
                carrier_message_ids=handed.carrier_message_ids,
            )
        case TextRefused(error, code, text):
            return Ending(
                claim=claim,
                status=Status.FAILED,
                cause=Cause.REFUSED_BY_CARRIER,
                error=error.value,
                code=code,
                text=_words(text),
            )
        case Deferred(reason, retry_after_s):
            return _postponed(claim, reason, retry_after_s)
        case Unknown(reason):
            if retries_unknown:
                return _postponed(claim, reason, 1.0)
            return Ending(
                claim=claim,
                status=Status.UNDELIVERED,
                cause=Cause.OUTCOME_UNKNOWN,
                error=TextError.UNKNOWN.value,
                text=_words(reason),
            )
        case Over(status, cause, error, text):
            return Ending(claim=claim, status=status, cause=cause, error=error, text=text)


def _postponed(claim: Claim, reason: str, retry_after_s: float) -> Ending | Postponement:
    if reason == THROTTLED:
        return Postponement(claim, retry_after_s, is_first=True)
    if claim.attempts >= MOST_DEFERRALS:
        return Ending(
            claim=claim,
            status=Status.FAILED,
            cause=Cause.REFUSED_BY_CARRIER,
            error=TextError.PROVIDER_ERROR.value,
            text=_words(f"put off {claim.attempts} times, last: {reason}"),
        )
    delay_s = backoff_s(claim.attempts, first_s=retry_after_s, max_s=LAST_DELAY_S)
    return Postponement(claim, delay_s, is_first=False)


def _words(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:WORDS]
