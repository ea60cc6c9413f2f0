"""What both ends of a session agree on without saying so, what came of a request, and what is counted."""

from enum import StrEnum

from msgspec import Struct

from agentmessage.smpp.pdu import MAX_PDU_BYTES, Pdu, Status, Tlvs


class Mode(StrEnum):
    """Which way texts go over a bind."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


class Outcome(StrEnum):
    """How a request that left us ended. Only an answer is knowledge; the others mean unknown, and nobody resends."""

    ANSWERED = "answered"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    """The connection ended before the answer came."""


class Result(Struct, frozen=True, gc=False):
    """What came of one request.

    `status` is the peer's command_status, None where it did not answer; `message_id` is its id for the text, empty
    where it gave none. `reply` is the whole answer to anything but a text, such as the state that a query_sm asks for.
    """

    outcome: Outcome
    sequence: int
    status: int | None = None
    message_id: str = ""
    tlvs: Tlvs = ()
    reply: Pdu | None = None

    @property
    def is_accepted(self) -> bool:
        """The peer answered, and it was yes."""
        return self.status == Status.OK

    @property
    def is_throttled(self) -> bool:
        """The peer asks for fewer texts a second, or has no room for now: the same text may come again, later."""
        return self.status in (Status.THROTTLED, Status.QUEUE_FULL)


class Terms(Struct, frozen=True, kw_only=True):
    """Bounds and timers of one session, in seconds where they are times.

    `window`: requests of ours in flight. `max_handling`: requests of the peer that are being handled; beyond it we
    stop reading. `enquire_link_s`: silence after which we ask whether the peer is there. `pdu_timeout_s`: how long one
    PDU may take to arrive, and how long the peer may leave more than a MiB unread. `idle_close_s`: silence after which
    we hang up, never where it is None. `max_malformed`: unreadable requests after which we hang up.
    """

    window: int = 100
    max_handling: int = 100
    response_timeout_s: float = 30.0
    enquire_link_s: float = 30.0
    pdu_timeout_s: float = 30.0
    idle_close_s: float | None = None
    max_pdu_bytes: int = MAX_PDU_BYTES
    max_malformed: int = 16
    first_sequence: int = 1

    @property
    def tick_s(self) -> float:
        """How often the timers are looked at: four times within the shortest, at most once a second."""
        shortest = min(self.response_timeout_s, self.enquire_link_s, self.pdu_timeout_s, self.idle_close_s or 4.0, 4.0)
        return max(shortest / 4, 0.005)


class Counters(Struct):
    """How often something happened since the start, over all sessions that share it. Only ever grows."""

    connections: int = 0
    binds: int = 0
    binds_refused: int = 0
    floods_refused: int = 0
    """Connections closed at once, because their address or all together have too many."""
    binds_timed_out: int = 0
    requests: int = 0
    malformed: int = 0
    oversized: int = 0
    """Streams that ended because a command_length was none."""
    unknown_commands: int = 0
    slow_pdus: int = 0
    slow_readers: int = 0
    """Peers who sent and did not fetch their answers."""
    idle_closed: int = 0
    dead_peers: int = 0
    """Sessions that ended because an enquire_link had no answer."""
    timed_out: int = 0
    lost: int = 0
    late_answers: int = 0
    stray_answers: int = 0
    """Answers to what we never asked."""
    handlers_failed: int = 0
