"""What the mandatory part of each PDU is made of, and what is wrong with one that is not made so.

A layout becomes one regular expression, which finds all fields of a PDU, and their limits kept, in one call; only
where it does not match does somebody walk through the octets to say why. Limits count the NUL, as the tables of
SMPP v3.4 Issue 1.2, section 4, do.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from agentmessage.smpp import pdu
from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.pdu import HEADER_BYTES, RESPONSE, Command, Status


class Text(NamedTuple):
    """A C-octet string: at most `limit` octets with its NUL; a longer one is answered with `status`."""

    limit: int
    status: Status


class Octet(NamedTuple):
    """One octet."""


class Layout:
    """The mandatory fields of a PDU in their order, which is also the order of the members of its struct."""

    def __init__(self, command: int, kind: type[pdu.LaidOut], *fields: Text | Octet, has_message: bool = False) -> None:
        self.command = command
        self.kind = kind
        self.build: Callable[..., pdu.Pdu] = kind
        self.fields = fields
        self.names = kind.__struct_fields__[: len(fields)]
        self.has_message = has_message
        """Whether sm_length and short_message follow the fields."""
        runs = list(_runs(fields))
        self.pattern = re.compile(b"".join(_expression(run) for run in runs), re.DOTALL)
        """One group for each text, and one for each run of octets."""
        self.is_text = tuple(isinstance(run, Text) for run in runs)

    def fault(self, frame: bytes) -> MalformedPdu:
        """What is wrong with a frame that the pattern does not match."""
        at = HEADER_BYTES
        for name, field in zip(self.names, self.fields, strict=True):
            end = at if isinstance(field, Octet) else frame.find(0, at, at + field.limit)
            if end >= len(frame) or (end == -1 and isinstance(field, Text) and len(frame) - at < field.limit):
                return self._malformed(Status.INVALID_COMMAND_LENGTH, f"ends within {name}", frame)
            if end == -1 and isinstance(field, Text):
                return self._malformed(field.status, f"{name} is too long", frame)
            at = end + 1
        return self._malformed(Status.SYSTEM_ERROR, "cannot be read", frame)

    def _malformed(self, status: Status, reason: str, frame: bytes) -> MalformedPdu:
        return malformed(status, f"{self.kind.__name__} {reason}", frame)


def malformed(status: int, reason: str, frame: bytes) -> MalformedPdu:
    """An error that knows which PDU it is about; `frame` has at least its header."""
    command, sequence = int.from_bytes(frame[4:8], "big"), int.from_bytes(frame[12:16], "big")
    return MalformedPdu(status, reason, command_id=command, sequence=sequence)


def _runs(fields: Iterable[Text | Octet]) -> Iterator[Text | int]:
    """The fields with neighboring octets counted together."""
    octets = 0
    for field in fields:
        if isinstance(field, Octet):
            octets += 1
            continue
        if octets:
            yield octets
        octets = 0
        yield field
    if octets:
        yield octets


def _expression(run: Text | int) -> bytes:
    return b"(.{%d})" % run if isinstance(run, int) else b"([^\\0]{0,%d})\\0" % (run.limit - 1)


_OCTET = Octet()
_SERVICE = Text(6, Status.INVALID_SERVICE_TYPE)
_SOURCE = (_OCTET, _OCTET, Text(21, Status.INVALID_SOURCE))
_DESTINATION = (_OCTET, _OCTET, Text(21, Status.INVALID_DESTINATION))
_LONG_SOURCE = (_OCTET, _OCTET, Text(65, Status.INVALID_SOURCE))
_LONG_DESTINATION = (_OCTET, _OCTET, Text(65, Status.INVALID_DESTINATION))
_SCHEDULE = Text(17, Status.INVALID_SCHEDULE)
_VALIDITY = Text(17, Status.INVALID_VALIDITY)
_MESSAGE_ID = Text(65, Status.INVALID_MESSAGE_ID)
_SYSTEM_ID = Text(16, Status.INVALID_SYSTEM_ID)
_PASSWORD = Text(9, Status.INVALID_PASSWORD)
_SYSTEM_TYPE = Text(13, Status.INVALID_SYSTEM_TYPE)
_ADDRESS_RANGE = Text(41, Status.BIND_FAILED)
_BIND = (_SYSTEM_ID, _PASSWORD, _SYSTEM_TYPE, _OCTET, _OCTET, _OCTET, _ADDRESS_RANGE)
_CLASSES = (_OCTET, _OCTET, _OCTET)
_CODING = (_OCTET, _OCTET, _OCTET, _OCTET)
_MESSAGE = (_SERVICE, *_SOURCE, *_DESTINATION, *_CLASSES, _SCHEDULE, _VALIDITY, *_CODING)
_DATA = (_SERVICE, *_LONG_SOURCE, *_LONG_DESTINATION, _OCTET, _OCTET, _OCTET)
_REPLACE = (_MESSAGE_ID, *_SOURCE, _SCHEDULE, _VALIDITY, _OCTET, _OCTET)

SUBMIT_SM = Layout(Command.SUBMIT_SM, pdu.SubmitSm, *_MESSAGE, has_message=True)
DELIVER_SM = Layout(Command.DELIVER_SM, pdu.DeliverSm, *_MESSAGE, has_message=True)

LAYOUTS = (
    SUBMIT_SM,
    DELIVER_SM,
    Layout(Command.BIND_TRANSMITTER, pdu.BindTransmitter, *_BIND),
    Layout(Command.BIND_RECEIVER, pdu.BindReceiver, *_BIND),
    Layout(Command.BIND_TRANSCEIVER, pdu.BindTransceiver, *_BIND),
    Layout(Command.BIND_TRANSMITTER | RESPONSE, pdu.BindTransmitterResp, _SYSTEM_ID),
    Layout(Command.BIND_RECEIVER | RESPONSE, pdu.BindReceiverResp, _SYSTEM_ID),
    Layout(Command.BIND_TRANSCEIVER | RESPONSE, pdu.BindTransceiverResp, _SYSTEM_ID),
    Layout(Command.OUTBIND, pdu.Outbind, _SYSTEM_ID, _PASSWORD),
    Layout(Command.UNBIND, pdu.Unbind),
    Layout(Command.UNBIND | RESPONSE, pdu.UnbindResp),
    Layout(Command.ENQUIRE_LINK, pdu.EnquireLink),
    Layout(Command.ENQUIRE_LINK | RESPONSE, pdu.EnquireLinkResp),
    Layout(Command.GENERIC_NACK, pdu.GenericNack),
    Layout(Command.SUBMIT_SM | RESPONSE, pdu.SubmitSmResp, _MESSAGE_ID),
    Layout(Command.DELIVER_SM | RESPONSE, pdu.DeliverSmResp, _MESSAGE_ID),
    Layout(Command.DATA_SM, pdu.DataSm, *_DATA),
    Layout(Command.DATA_SM | RESPONSE, pdu.DataSmResp, _MESSAGE_ID),
    Layout(Command.QUERY_SM, pdu.QuerySm, _MESSAGE_ID, *_SOURCE),
    Layout(Command.QUERY_SM | RESPONSE, pdu.QuerySmResp, _MESSAGE_ID, _VALIDITY, _OCTET, _OCTET),
    Layout(Command.CANCEL_SM, pdu.CancelSm, _SERVICE, _MESSAGE_ID, *_SOURCE, *_DESTINATION),
    Layout(Command.CANCEL_SM | RESPONSE, pdu.CancelSmResp),
    Layout(Command.REPLACE_SM, pdu.ReplaceSm, *_REPLACE, has_message=True),
    Layout(Command.REPLACE_SM | RESPONSE, pdu.ReplaceSmResp),
    Layout(Command.ALERT_NOTIFICATION, pdu.AlertNotification, *_LONG_SOURCE, *_LONG_DESTINATION),
)

BY_COMMAND = {layout.command: layout for layout in LAYOUTS}
BY_KIND: dict[type[pdu.LaidOut], Layout] = {layout.kind: layout for layout in LAYOUTS}

ANSWERS = frozenset({*(command for command in BY_COMMAND if command & RESPONSE), Command.SUBMIT_MULTI | RESPONSE})
"""The command ids of answers; a request whose id with the response bit is not among them has none."""
