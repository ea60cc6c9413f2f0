"""Settings of the simulated carrier's messaging, changeable while it runs (`POST /_control/messages/settings`)."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from agentmessage.simulator.messaging.model import Via
from agentmessage.sms.segments import Alphabet


class IdForm(StrEnum):
    """How the SMSC writes its ids. Some carriers write one form in the response and the other in the receipt.

    `mixed`: hexadecimal in the response and decimal in the receipt; `mixed_back`: the other way round.
    """

    HEX = "hex"
    DECIMAL = "decimal"
    MIXED = "mixed"
    MIXED_BACK = "mixed_back"


_Seconds = Annotated[float, Meta(ge=0.0, le=3600.0)]


class MessagingSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`checks_senders`: a sender must be in service and on a campaign at the recipient's operator.

    `counts_from_one`: ids are a small counter instead of ones that no restart repeats. `max_messages_per_second`: more
    are throttled; None for no limit. `max_open_parts`: parts that are not finished and acknowledged, above which the
    queue is full. `latency_s`: before every response of the SMSC. `is_packed`: GSM septets are packed. `alphabet`: the
    meaning of data_coding 0, in both directions. `answers_enquiries`: whether enquire_link has a response. `via`: the
    protocol of messages to a number that never sent one. `callback_batch`: maximum events in one HTTP callback.
    `reply_after_s`: delay before a handset replies.
    """

    checks_senders: bool = True
    ids: IdForm = IdForm.HEX
    counts_from_one: bool = False
    max_messages_per_second: Annotated[float, Meta(gt=0.0)] | None = None
    max_open_parts: Annotated[int, Meta(ge=0)] | None = None
    latency_s: _Seconds = 0.0
    is_packed: bool = False
    alphabet: Alphabet = Alphabet.GSM
    answers_enquiries: bool = True
    via: Via = Via.SMPP
    callback_batch: Annotated[int, Meta(ge=1, le=1000)] = 1
    reply_after_s: _Seconds = 0.05
