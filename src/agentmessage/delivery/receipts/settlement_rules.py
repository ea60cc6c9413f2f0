"""Which message without an id a receipt without a message is about; pure.

A worker that dies between the carrier's answer and its record leaves a message whose id nobody knows. Its receipt still
repeats both numbers, when it was submitted and how it begins. Where these fit one message of the carrier account, and
the message no second receipt, they are about each other. Where two fit, nobody can know.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.messaging import ReceiptHeard
from agentmessage.sms.segments import split
from agentmessage.sms.traces import parts_traced

ZONES_APART = timedelta(minutes=15)
MAX_ZONE = timedelta(hours=14)
EARLIER, LATER = timedelta(minutes=2), timedelta(minutes=2)
"""How far the carrier's time may be from when we handed the message over: by its clock, or in its queue."""


class Unnamed(Struct, frozen=True):
    """A message that the carrier has or may have under an id that nobody knows, with the words that were sent."""

    message_id: UUID
    org_id: UUID
    submitted_at: datetime
    words: str


class Kept(Struct, frozen=True):
    """A receipt that was kept because no message has its id."""

    id: UUID
    receipt: ReceiptHeard


class Settlement(Struct, frozen=True):
    """A receipt and the part that it is about."""

    kept: Sequence[Kept]
    message: Unnamed
    part: int
    parts: int


def settlements(pairs: Sequence[tuple[Kept, Unnamed]]) -> Sequence[Settlement]:
    """The receipts that fit one part of one message, which no other receipt fits. `pairs` have the same two numbers."""
    fits: dict[UUID, set[tuple[UUID, int]]] = defaultdict(set)
    fitted: dict[tuple[UUID, int], list[Kept]] = defaultdict(list)
    messages = {message.message_id: message for _, message in pairs}
    for kept, message in pairs:
        for part in _parts_meant(kept.receipt, message):
            fits[kept.id].add((message.message_id, part))
            fitted[message.message_id, part].append(kept)
    found: list[Settlement] = []
    for (message_id, part), kept in fitted.items():
        names = {one.receipt.carrier_message_id or str(one.id) for one in kept}
        if len(names) == 1 and all(len(fits[one.id]) == 1 for one in kept):
            message = messages[message_id]
            found.append(Settlement(kept, message, part, len(split(message.words))))
    return found


def _parts_meant(receipt: ReceiptHeard, message: Unnamed) -> Sequence[int]:
    """The parts of a message that a receipt may be about; one that repeats neither time nor words is about none."""
    if receipt.submitted_at is not None and not _is_time_of(receipt.submitted_at, message.submitted_at):
        return ()
    if receipt.excerpt:
        return sorted(parts_traced(receipt.excerpt, message.words))
    return (1,) if receipt.submitted_at is not None and len(split(message.words)) == 1 else ()


def _is_time_of(carrier_submitted_at: datetime, submitted_at: datetime) -> bool:
    """Whether they may be one moment: the carrier writes no zone, and zones are whole quarters of an hour apart."""
    apart = carrier_submitted_at - submitted_at
    zone = round(apart / ZONES_APART) * ZONES_APART
    return abs(zone) <= MAX_ZONE and -EARLIER <= apart - zone <= LATER
