"""Which message an id in a receipt means while nobody knows how its carrier writes ids; pure.

Some carriers write an id in hexadecimal in one place and in decimal in the other. An id of a small counter may be found
in each of its readings, and then means different messages. So a reading is taken only where no other can be meant, and
what was taken tells the carrier's form: as soon as ids matched in one form and in no other, that form decides. What is
ambiguous waits for it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.messaging import ReceiptHeard
from agentmessage.sms.traces import is_trace_of, pair_trace

AS_IS = "as_is"
SETTLED = timedelta(seconds=5)
"""Far longer than an answer takes to be recorded: what is not in the database by then will not come."""

UNHEARD_OF = timedelta(seconds=15)
"""A receipt that no reading has found for so long is about a message whose answer was lost, or about none of ours."""

MARGIN = 50
"""Times as many matches as of all other forms make a form the carrier's, where a coincidence has spoken for another."""


class KnownPart(Struct, frozen=True):
    """A part that the carrier took, as far as it tells whether a receipt is about it."""

    carrier_message_id: str
    message_id: UUID
    outcome: str | None
    sender: str
    recipient: str
    text: str


class Known(Struct, frozen=True):
    """What the database says of ids: the parts that have them, and how long the ids of the last parts were."""

    parts: Mapping[str, KnownPart]
    lengths: Collection[int]


class Decision(Struct, frozen=True):
    """The form in which an id was read, and the id that it then is."""

    form: str
    carrier_message_id: str


def learned(matches: Mapping[str, int]) -> str | None:
    """The carrier's form, from how many receipts found their message in each; None while that is open."""
    best = max(matches, key=lambda form: matches[form], default=None)
    if best is None or matches[best] < MARGIN * (sum(matches.values()) - matches[best]):
        return None
    return best


def read_as(receipt: ReceiptHeard, form: str) -> str:
    """The receipt's id in the carrier's form."""
    return next((one.carrier_message_id for one in receipt.readings if one.form == form), receipt.carrier_message_id)


def decide(receipt: ReceiptHeard, known: Known, *, waited: timedelta) -> Decision | None:
    """The only reading that can be meant; None: wait."""
    found: list[tuple[Decision, KnownPart]] = []
    may_come = False
    for reading in candidates(receipt):
        part = known.parts.get(reading.carrier_message_id)
        if part is not None:
            found.append((reading, part))
        elif waited < SETTLED and _is_in_sight(reading.carrier_message_id, known.lengths):
            may_come = True
    fitting = [one for one in found if _fits(receipt, one[1])]
    choice = fitting or found
    if len(choice) != 1 or may_come:
        return None
    decision, part = choice[0]
    if decision.form == AS_IS:
        return decision
    is_only_one_in_sight = not any(
        _is_in_sight(one.carrier_message_id, known.lengths) for one in candidates(receipt) if one != decision
    )
    is_likely = bool(fitting) or is_only_one_in_sight
    return decision if is_likely and part.outcome in (None, receipt.state.value) else None


def candidates(receipt: ReceiptHeard) -> Sequence[Decision]:
    """All readings of a receipt's id, as it is written first."""
    others = [Decision(one.form, one.carrier_message_id) for one in receipt.readings]
    return [Decision(AS_IS, receipt.carrier_message_id), *others]


def _fits(receipt: ReceiptHeard, part: KnownPart) -> bool:
    """Whether the receipt says of its message what this one is. One that says nothing fits nothing."""
    if not receipt.pair or receipt.pair != pair_trace(part.sender, part.recipient):
        return False
    return not receipt.excerpt or is_trace_of(receipt.excerpt, part.text)


def _is_in_sight(carrier_message_id: str, lengths: Collection[int]) -> bool:
    """Whether the carrier may be giving ids like this one: as long as others, or the first that are a digit longer."""
    length = len(carrier_message_id)
    return length in lengths or (length - 1 in lengths and carrier_message_id.startswith("1"))
