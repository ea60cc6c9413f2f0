"""What an inbound text is worth, and who is answered in which words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from agentmessage.billing.model import Charge
from agentmessage.carriers.messaging import InboundHeard
from agentmessage.conversations.model import MOST_SENDER_CHARS, Channel
from agentmessage.inbound.model import Arrival, Inbound, Line, Part, PartsKey, Whole
from agentmessage.organizations.model import OptOutScope
from agentmessage.sms import segments
from agentmessage.sms.keywords import Kind, canonical
from agentmessage.sms.numbers import is_e164

PREVIEW_CHARS = 160
MOST_REPLIES = 10
"""Automatic answers to one contact within an hour: two machines that answer each other end there."""

MOST_MEDIA = 10
MOST_PARTS = 255
MOST_ID_CHARS = 256
MOST_URL_CHARS = 2_048
MOST_CHARS = 65_536
MOST_RAW_BYTES = 65_536

OWN_WORDS = {"optout_keywords": Kind.STOP, "optin_keywords": Kind.START, "help_keywords": Kind.HELP}
FILED_REPLIES = {Kind.STOP: "optout_message", Kind.START: "optin_message", Kind.HELP: "help_message"}

DEFAULTS = {
    Kind.STOP: "{name}: You are unsubscribed and will receive no more messages{reach}. Reply START to resubscribe.",
    Kind.START: "{name}: You are subscribed to messages from this number. Msg frequency varies. Msg & data rates may "
    "apply. Reply HELP for help, STOP to opt out.",
    Kind.HELP: "{name}: {help} Msg frequency varies. Msg & data rates may apply. Reply STOP to opt out.",
}
"""The platform's own words. A contact who answers STOP gets no advertisement, one who asks for more gets the terms
(CTIA Messaging Principles)."""

REACH = {OptOutScope.NUMBER: " from this number", OptOutScope.CAMPAIGN: " from this program"}
"""What a STOP ends, where it does not end all."""

TERMS = (("rates", "Msg & data rates may apply."), ("HELP", "Reply HELP for help."), ("STOP", "Reply STOP to opt out."))


def storable(text: str) -> str:
    """Text that Postgres can keep: NUL and halves of surrogate pairs become the replacement character."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def own_words(line: Line) -> Mapping[str, Kind]:
    """The keywords that the line's campaign was filed with, as `sms.keywords` compares them."""
    return {
        canonical(word): kind
        for field, kind in OWN_WORDS.items()
        for word in str(line.fields.get(field) or "").split(",")
        if word.strip()
    }


def reply(line: Line, kind: Kind) -> str:
    """What a contact is answered: the organization's own words, else those filed with the campaign, else ours.

    What is filed is completed with the terms that it leaves out; what the organization wrote is sent as it is.
    """
    custom = {
        Kind.STOP: line.auto_replies.stop_text,
        Kind.START: line.auto_replies.start_text,
        Kind.HELP: line.auto_replies.help_text,
    }[kind]
    if custom:
        return custom
    filed = line.fields.get(FILED_REPLIES[kind])
    if isinstance(filed, str) and filed:
        return _completed(filed, line.sender_name, kind)
    advice = f"Help: {line.website} -" if line.website else "You asked for messages from this number."
    reach = REACH.get(line.opt_out_scope, "")
    return DEFAULTS[kind].format(name=line.sender_name, help=advice, reach=reach)


def may_reply(line: Line, contact: str, *, replies_this_hour: int) -> bool:
    """Whether an automatic answer goes out: only to a telephone, only if the organization answers, and not for ever."""
    return line.auto_replies.enabled and is_e164(contact) and replies_this_hour < MOST_REPLIES


def heard_plainly(heard: InboundHeard) -> InboundHeard:
    """What came, in bounds and in characters that can be kept; a part that cannot be one is a whole text."""
    is_part = 1 < heard.parts <= MOST_PARTS and 1 <= heard.part <= heard.parts
    return msgspec.structs.replace(
        heard,
        sender=storable(heard.sender)[:MOST_SENDER_CHARS],
        recipient=storable(heard.recipient)[:MOST_SENDER_CHARS],
        carrier_message_id=storable(heard.carrier_message_id)[:MOST_ID_CHARS],
        media=[storable(url)[:MOST_URL_CHARS] for url in heard.media[:MOST_MEDIA]],
        parts=heard.parts if is_part else 1,
        part=heard.part if is_part else 1,
        raw=heard.raw[:MOST_RAW_BYTES],
    )


def whole(heard: InboundHeard) -> Whole:
    """A text that came in one piece."""
    return Whole(
        carrier=heard.carrier,
        carrier_message_id=heard.carrier_message_id,
        sender=heard.sender,
        recipient=heard.recipient,
        text=storable(heard.text)[:MOST_CHARS],
        media=heard.media,
        carrier_received_at=heard.received_at,
    )


def stored(arrival: Arrival, *, org_id: UUID, received_at: datetime) -> Inbound:
    """The text as it is kept. An opt-out is noted also when it changes nothing."""
    whole, keyword = arrival.whole, arrival.keyword
    stop = keyword if keyword is not None and keyword.kind is Kind.STOP else None
    return Inbound(
        id=arrival.id,
        org_id=org_id,
        phone_number_id=arrival.line.phone_number_id,
        sender=whole.sender,
        recipient=whole.recipient,
        body=whole.text or (None if whole.media else ""),
        channel=channel(whole).value,
        media_urls=whole.media,
        segment_count=segment_count(whole),
        opt_out_detected=stop is not None,
        opt_out_keyword=stop.keyword if stop else None,
        opt_out_method=stop.method.value if stop else None,
        carrier=whole.carrier,
        carrier_message_id=whole.carrier_message_id,
        carrier_received_at=whole.carrier_received_at,
        received_at=received_at,
        redacted_at=None,
    )


def channel(whole: Whole) -> Channel:
    """MMS where there is media."""
    return Channel.MMS if whole.media else Channel.SMS


def segment_count(whole: Whole) -> int:
    """What the carrier charges for: the parts that came, else what the length takes; one for media."""
    if whole.media:
        return 1
    return whole.segments or segments.measure(whole.text).segments


def above_floor(charges: Sequence[Charge], balance_microcents: int, floor_microcents: int) -> list[Charge]:
    """Those of the charges, in their order, that leave the wallet at its floor or above."""
    due: list[Charge] = []
    for one in charges:
        if balance_microcents - one.total_microcents >= floor_microcents:
            balance_microcents -= one.total_microcents
            due.append(one)
    return due


def preview(body: str | None) -> str | None:
    """The beginning of a text, for a list of conversations."""
    return None if body is None else body[:PREVIEW_CHARS]


def joined(key: PartsKey, parts: Sequence[Part]) -> Whole:
    """The text whose parts these are, in order; what is missing is marked by an ellipsis."""
    found = {part.part: part.body for part in parts}
    text = ""
    for number in range(1, key.parts + 1):
        body = found.get(number)
        if body is not None:
            text += body
        elif not text.endswith("…"):
            text += "…"
    first = min(parts, key=lambda part: part.part)
    return Whole(
        carrier=key.carrier,
        carrier_message_id=first.carrier_message_id,
        sender=key.sender,
        recipient=key.recipient,
        text=storable(text),
        segments=len(found),
        carrier_received_at=first.carrier_received_at,
    )


def _completed(filed: str, name: str, kind: Kind) -> str:
    text = filed if name.casefold() in filed.casefold() else f"{name}: {filed}"
    if kind is Kind.STOP:
        return text
    said = text.casefold()
    wanted = [term for word, term in TERMS if word.casefold() not in said and word != kind.value.upper()]
    return " ".join([text, *wanted])
