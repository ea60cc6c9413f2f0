"""What is said in every language: one long text, in parts and whole, and the receipt for it."""

from datetime import UTC, datetime

from agentmessage.smpp.pdu import DataSm, DeliverSm, Status, SubmitSm, Tag, Tlv, parameter, text_of
from agentmessage.smpp.receipts import Receipt, State, parameters, write
from agentmessage.smpp.server import Reply, ServerSession

WORDS = b"All work and no play makes a dull gateway. " * 8
UDH_PRESENT = 0x40
FULL = "12025550911"
"""A recipient for whom the carrier has no room."""

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def in_parts(text: bytes, *, reference: int = 42, size: int = 134) -> list[bytes]:
    """A text in parts with the concatenation header of 3GPP TS 23.040, 9.2.3.24.1."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [bytes((5, 0, 3, reference, len(pieces), n)) + piece for n, piece in enumerate(pieces, start=1)]


def joined(parts: list[bytes]) -> bytes:
    """The text again, in the order that the headers tell."""
    return b"".join(part[6:] for part in sorted(parts, key=lambda part: part[5]))


class Carrier:
    """Takes texts, numbers them, and sends a receipt for those that ask for one."""

    def __init__(self) -> None:
        self.taken: list[SubmitSm | DataSm] = []
        self.acknowledged = 0

    def on_submit(self, session: ServerSession, pdu: SubmitSm | DataSm) -> Reply:
        if pdu.destination == FULL:
            return Reply(status=Status.THROTTLED)
        self.taken.append(pdu)
        reply = Reply(f"{len(self.taken):08x}")
        if pdu.registered_delivery:
            session._loop.call_soon(session.deliver_nowait, receipt_for(pdu, reply.message_id), self._count)
        return reply

    @property
    def parts(self) -> list[bytes]:
        """The texts that came in parts."""
        return [text_of(pdu) for pdu in self.taken if pdu.esm_class & UDH_PRESENT]

    @property
    def payloads(self) -> list[bytes]:
        """The texts that came in a parameter."""
        return [found for pdu in self.taken if (found := parameter(pdu.tlvs, Tag.MESSAGE_PAYLOAD)) is not None]

    def _count(self, result: object) -> None:
        self.acknowledged += getattr(result, "status", None) == 0


def receipt_for(pdu: SubmitSm | DataSm, message_id: str) -> DeliverSm:
    """Delivered, at noon."""
    receipt = Receipt(message_id, State.DELIVERED, "000", NOON)
    return DeliverSm(
        source=pdu.destination,
        destination=pdu.source,
        esm_class=0x04,
        short_message=write(receipt, submitted_at=NOON, text=b"All work"),
        tlvs=parameters(receipt),
    )


def incoming(text: bytes = b"", *, esm_class: int = 0, tlvs: tuple[Tlv, ...] = ()) -> DeliverSm:
    """A text from a handset."""
    return DeliverSm(
        source_ton=1,
        source_npi=1,
        source="12025550199",
        destination_ton=1,
        destination_npi=1,
        destination="12025550100",
        esm_class=esm_class,
        short_message=text,
        tlvs=tlvs,
    )


def outgoing(text: bytes = b"", *, esm_class: int = 0, tlvs: tuple[Tlv, ...] = ()) -> SubmitSm:
    """A text of ours that asks for a receipt."""
    return SubmitSm(
        source_ton=1,
        source_npi=1,
        source="12025550100",
        destination_ton=1,
        destination_npi=1,
        destination="12025550199",
        esm_class=esm_class,
        registered_delivery=1,
        short_message=text,
        tlvs=tlvs,
    )
