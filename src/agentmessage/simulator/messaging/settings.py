"""How the simulated carrier treats texts, changeable while it runs (`POST /_control/texts/settings`)."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from agentmessage.simulator.messaging.model import Via
from agentmessage.sms.segments import Alphabet


class IdForm(StrEnum):
    """How the SMSC writes its ids. Some write one form in the answer and the other in the receipt.

    `mixed`: hexadecimal in the answer and decimal in the receipt; `mixed_back`: the other way round.
    """

    HEX = "hex"
    DECIMAL = "decimal"
    MIXED = "mixed"
    MIXED_BACK = "mixed_back"


_Seconds = Annotated[float, Meta(ge=0.0, le=3600.0)]


class TextSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`checks_senders`: a sender must be in service and on a campaign at the recipient's operator.

    `counts_from_one`: ids are a small counter instead of ones that no restart repeats.
    `texts_per_s`: beyond it throttled, None for no limit. `most_open`: parts without an acknowledged end, beyond which
    the queue is full. `latency_s`: before every answer of the SMSC. `is_packed`: GSM septets are packed on the way.
    `alphabet`: what data_coding 0 means, both ways.
    `answers_enquiries`: enquire_link is answered. `via`: the way of texts to a number that never sent one.
    `callback_batch`: the most events in one HTTP callback. `reply_after_s`: how long a handset takes to answer.
    """

    checks_senders: bool = True
    ids: IdForm = IdForm.HEX
    counts_from_one: bool = False
    texts_per_s: Annotated[float, Meta(gt=0.0)] | None = None
    most_open: Annotated[int, Meta(ge=0)] | None = None
    latency_s: _Seconds = 0.0
    is_packed: bool = False
    alphabet: Alphabet = Alphabet.GSM
    answers_enquiries: bool = True
    via: Via = Via.SMPP
    callback_batch: Annotated[int, Meta(ge=1, le=1000)] = 1
    reply_after_s: _Seconds = 0.05
