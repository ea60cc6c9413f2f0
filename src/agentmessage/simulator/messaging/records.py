"""What must survive of texts: four kinds of records, in the order in which they came to be."""

from msgspec import Struct

from agentmessage.simulator.messaging.model import Ending, Inbound, Submission


class Kept(Struct, frozen=True, array_like=True, tag="k", gc=False):
    """A part was accepted."""

    serial: int
    part_id: str
    at: float
    given: Submission
    ending: Ending


class Ended(Struct, frozen=True, array_like=True, tag="e", gc=False):
    """A part came to its end; what its text had a handset say is a record of its own."""

    serial: int
    at: float


class Said(Struct, frozen=True, array_like=True, tag="s", gc=False):
    """A handset texted; one record for each part."""

    inbound: Inbound


class Settled(Struct, frozen=True, array_like=True, tag="a", gc=False):
    """What was to be told of a part, or the text of a handset, was acknowledged or need not be."""

    serial: int


Record = Kept | Ended | Said | Settled
