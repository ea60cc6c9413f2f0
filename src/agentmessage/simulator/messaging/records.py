"""What is stored of messages, in the order in which it happens."""

from msgspec import Struct

from agentmessage.simulator.messaging.model import FinalStatus, InboundPart, Submission


class PartAccepted(Struct, frozen=True, array_like=True, tag="part", gc=False):
    """A part of a message was accepted."""

    serial: int
    part_id: str
    at: float
    submission: Submission
    final_status: FinalStatus


class InboundSent(Struct, frozen=True, array_like=True, tag="inbound", gc=False):
    """A handset sent a message; one record for each part."""

    inbound: InboundPart

    @property
    def serial(self) -> int:
        """The number that its later records refer to."""
        return self.inbound.serial


class PartEnded(Struct, frozen=True, array_like=True, tag="ended", gc=False):
    """A part reached its final state; a reply of its handset is a record of its own."""

    serial: int
    at: float


class Settled(Struct, frozen=True, array_like=True, tag="settled", gc=False):
    """The callback of a part, or of a message from a handset, was acknowledged or is not required."""

    serial: int


Record = PartAccepted | InboundSent | PartEnded | Settled
