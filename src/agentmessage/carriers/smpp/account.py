"""What is agreed with one SMPP carrier beside address and password."""

from enum import StrEnum

from msgspec import Struct

from agentmessage.smpp.client import Bind
from agentmessage.sms.segments import Alphabet


class GsmForm(StrEnum):
    """How a text in the GSM alphabet is laid out under data_coding 0, where that is the carrier's alphabet."""

    UNPACKED = "unpacked"  # one septet an octet: what most carriers want
    PACKED = "packed"


class LongTexts(StrEnum):
    """How a text that needs several parts travels."""

    UDH8 = "udh8"  # a submit_sm for each part, with an 8-bit reference in the user data header
    UDH16 = "udh16"
    PAYLOAD = "payload"  # one submit_sm with message_payload: the carrier cuts


class MessageIds(StrEnum):
    """How the carrier writes its ids in answers and in receipts; many differ."""

    AUTO = "auto"  # learned from which receipts found their messages
    AS_IS = "as_is"
    HEX_ANSWERS = "hex_answers"  # hexadecimal in answers, decimal in receipts
    HEX_RECEIPTS = "hex_receipts"


class SmppAccount(Struct, frozen=True, kw_only=True):
    """One carrier account: `binds` connections, all alike. `account` is ours: `live` or `sandbox`.

    `part_patience_s` is how long a text that was begun may wait for its next part to be taken.
    """

    account: str
    bind: Bind
    binds: int = 1
    gsm: GsmForm = GsmForm.UNPACKED
    alphabet: Alphabet = Alphabet.GSM  # what data_coding 0 means, both ways
    long_texts: LongTexts = LongTexts.UDH8
    message_ids: MessageIds = MessageIds.AUTO
    part_patience_s: float = 60.0
