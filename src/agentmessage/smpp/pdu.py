"""Everything that travels, as values: commands, states, tags, and one frozen struct for each PDU.

Numbers and limits are those of SMPP v3.4 Issue 1.2, sections 4 and 5. Text is what the specification calls a C-octet
string, without its NUL, one character for one octet (ISO 8859-1, so no octet is refused or lost). A struct holds the
body only: a sequence number belongs to the session, a command_status to the answer.
"""

from enum import IntEnum

from msgspec import Struct
from typing_extensions import override

RESPONSE = 0x8000_0000
"""The bit of a command id that makes an answer of it."""

MAX_SEQUENCE = 0x7FFF_FFFF
"""The highest sequence number; the next one is 1."""

HEADER_BYTES = 16
MAX_PDU_BYTES = 64 * 1024
MAX_SHORT_MESSAGE_BYTES = 254
"""More than this travels in the message_payload parameter (section 5.2.21)."""


class Command(IntEnum):
    """The command ids that we know (section 5.1.2.1); answers are these with the response bit."""

    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    REPLACE_SM = 0x07
    CANCEL_SM = 0x08
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    SUBMIT_MULTI = 0x21
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103


class Status(IntEnum):
    """The command_status values that we send or tell apart (section 5.1.3). Peers send others too."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND_ID = 0x03
    WRONG_BIND_STATE = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    INVALID_MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    REPLACE_FAILED = 0x13
    QUEUE_FULL = 0x14
    INVALID_SERVICE_TYPE = 0x15
    SUBMIT_FAILED = 0x45
    INVALID_SYSTEM_TYPE = 0x53
    THROTTLED = 0x58
    INVALID_SCHEDULE = 0x61
    INVALID_VALIDITY = 0x62
    TEMPORARY_ERROR = 0x64
    PERMANENT_ERROR = 0x65
    REJECTED = 0x66
    QUERY_FAILED = 0x67
    INVALID_PARAMETERS = 0xC0
    INVALID_PARAMETER_LENGTH = 0xC2
    DELIVERY_FAILURE = 0xFE
    UNKNOWN_ERROR = 0xFF


class Tag(IntEnum):
    """The optional parameters that we send or read (section 5.3.2). Others are kept as they come."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MESSAGE_REFERENCE = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_NUMBER = 0x020F
    INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Tlv(Struct, frozen=True, gc=False):
    """One optional parameter: its tag and its octets, at most 65,535."""

    tag: int
    value: bytes


Tlvs = tuple[Tlv, ...]


class BindTransmitter(Struct, frozen=True):
    """May submit, is delivered nothing. `interface_version` is 0x34 for SMPP 3.4."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    address_ton: int = 0
    address_npi: int = 0
    address_range: str = ""
    tlvs: Tlvs = ()

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(system_id={self.system_id!r})"  # a log is no place for a password


class BindReceiver(BindTransmitter, frozen=True):
    """Is delivered receipts and texts, may not submit."""


class BindTransceiver(BindTransmitter, frozen=True):
    """Submits, and is delivered receipts and texts, over one connection."""


class BindTransmitterResp(Struct, frozen=True):
    """The answer to a bind; `system_id` names the one who answers, and is empty where the bind was refused."""

    system_id: str = ""
    tlvs: Tlvs = ()


class BindReceiverResp(BindTransmitterResp, frozen=True):
    """The answer to a receiver's bind."""


class BindTransceiverResp(BindTransmitterResp, frozen=True):
    """The answer to a transceiver's bind."""


class Outbind(Struct, frozen=True):
    """A carrier asks to be bound to. We read it and do nothing: our binds are our own decision."""

    system_id: str = ""
    password: str = ""
    tlvs: Tlvs = ()


class Unbind(Struct, frozen=True):
    """No more requests; the connection closes after the answer."""

    tlvs: Tlvs = ()


class UnbindResp(Struct, frozen=True):
    """The last PDU of a session."""

    tlvs: Tlvs = ()


class EnquireLink(Struct, frozen=True):
    """Are you there?"""

    tlvs: Tlvs = ()


class EnquireLinkResp(Struct, frozen=True):
    """The peer is there."""

    tlvs: Tlvs = ()


class GenericNack(Struct, frozen=True):
    """The answer to what could not be read; its command_status says why."""

    tlvs: Tlvs = ()


class SubmitSm(Struct, frozen=True, gc=False):
    """One text towards a handset.

    `short_message` holds at most 254 octets; a longer one goes into the message_payload parameter and leaves it empty.
    `schedule_delivery_time` and `validity_period` are empty or 16 characters (section 7.1.1).
    """

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class DeliverSm(SubmitSm, frozen=True, gc=False):
    """One text from a handset, or a receipt (`esm_class` tells which: section 5.2.12)."""


class SubmitSmResp(Struct, frozen=True, gc=False):
    """The carrier's id for a text it took; empty where it refused."""

    message_id: str = ""
    tlvs: Tlvs = ()


class DeliverSmResp(SubmitSmResp, frozen=True, gc=False):
    """We have it. The message id is unused and empty (section 4.6.2)."""


class SubmitMulti(Struct, frozen=True):
    """One text to many. Its body is not read: we refuse the command, and nobody we met sends it."""

    body: bytes = b""


class SubmitMultiResp(Struct, frozen=True):
    """The refusal of a submit_multi, or an answer whose body is not read."""

    body: bytes = b""


class DataSm(Struct, frozen=True):
    """A text either way, always in the message_payload parameter."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()


class DataSmResp(SubmitSmResp, frozen=True, gc=False):
    """The answer to a data_sm."""


class QuerySm(Struct, frozen=True):
    """What became of a text? `source` must be that of the submit."""

    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    tlvs: Tlvs = ()


class QuerySmResp(Struct, frozen=True):
    """Where a text is: `message_state` as in section 5.2.28, `final_date` empty or 16 characters."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0
    tlvs: Tlvs = ()


class CancelSm(Struct, frozen=True):
    """Do not deliver a text that was submitted, or all between two addresses."""

    service_type: str = ""
    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    tlvs: Tlvs = ()


class CancelSmResp(Struct, frozen=True):
    """The answer to a cancel_sm; its command_status says all."""

    tlvs: Tlvs = ()


class ReplaceSm(Struct, frozen=True):
    """Deliver other words instead of those that were submitted."""

    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    default_message_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class ReplaceSmResp(Struct, frozen=True):
    """The answer to a replace_sm; its command_status says all."""

    tlvs: Tlvs = ()


class AlertNotification(Struct, frozen=True):
    """A handset that was away is back. It has no answer."""

    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    esme_ton: int = 0
    esme_npi: int = 0
    esme: str = ""
    tlvs: Tlvs = ()


BindRequest = BindTransmitter | BindReceiver | BindTransceiver
Inbound = DeliverSm | DataSm
"""What a carrier hands to us."""

LaidOut = (
    BindRequest
    | BindTransmitterResp
    | Outbind
    | Unbind
    | UnbindResp
    | EnquireLink
    | EnquireLinkResp
    | GenericNack
    | SubmitSm
    | DeliverSm
    | SubmitSmResp
    | DeliverSmResp
    | DataSm
    | DataSmResp
    | QuerySm
    | QuerySmResp
    | CancelSm
    | CancelSmResp
    | ReplaceSm
    | ReplaceSmResp
    | AlertNotification
)
"""The PDUs whose bodies we read."""

Pdu = LaidOut | SubmitMulti | SubmitMultiResp


def parameter(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first optional parameter with that tag."""
    for tlv in tlvs:
        if tlv.tag == tag:
            return tlv.value
    return None


def text_of(pdu: SubmitSm | DataSm) -> bytes:
    """The octets of the text, from wherever they travelled: short_message, or message_payload where that is empty."""
    short = pdu.short_message if isinstance(pdu, SubmitSm) else b""
    return short or parameter(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""
