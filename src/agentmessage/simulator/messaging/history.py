"""Every message, in order and by handset: the data behind inboxes and the oracle."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from agentmessage.simulator.core.shared_state import stamp
from agentmessage.simulator.messaging.model import AcceptedMessage, FinalStatus, Stat, Submission

MAX_KEPT = 500_000
"""Messages that are kept whole; of older ones only the counts remain."""


class MessageView(Struct, frozen=True):
    """A message as the control plane shows it; `times`: how many messages have the same sender, recipient and text."""

    ids: tuple[str, ...]
    account: str
    via: str
    sender: str
    recipient: str
    text: str | None
    media: tuple[str, ...]
    reference: str
    parts: int
    parts_here: int
    repeated_parts: int
    segments: int
    state: str
    code: str
    accepted_at: str
    delivered_at: str | None
    times: int


class MessageHistory:
    """Stores messages, joins their parts, and fills the inboxes of handsets."""

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self.counts: Counter[str] = Counter()
        self._max_kept = max_kept
        self._messages: deque[AcceptedMessage] = deque()
        self._inboxes: dict[str, deque[AcceptedMessage]] = {}
        self._incomplete: dict[tuple[str, str, str, int, int], AcceptedMessage] = {}

    def add_part(self, submission: Submission, part_id: str, *, at: float) -> AcceptedMessage:
        """Add an accepted part; returns its message, new or waiting for this part."""
        self.counts["parts"] += 1
        self.counts["segments"] += submission.segments
        if submission.parts == 1:
            message = self._add_message(submission, part_id, at)
            message.text = submission.text
            self.counts["messages"] += 1
            return message
        key = (submission.account, submission.sender, submission.recipient, submission.group, submission.parts)
        message = self._incomplete.get(key)
        if message is None:
            message = self._incomplete[key] = self._add_message(submission, part_id, at)
        else:
            message.ids += (part_id,)
            message.segments += submission.segments
        self._add_piece(message, submission, key)
        return message

    def finish_part(self, message: AcceptedMessage, final_status: FinalStatus, *, at: float) -> bool:
        """Set the final status of a part; returns whether the handset has the whole message now."""
        message.arrived += 1
        if final_status.stat is not Stat.DELIVERED:
            message.state, message.code = final_status.stat.value, str(final_status.code)
            self.counts["parts_failed"] += 1
            return False
        self.counts["parts_delivered"] += 1
        if message.text is None or message.arrived < message.parts or message.state != "accepted":
            return False
        message.state, message.delivered_at = Stat.DELIVERED.value, at
        self.counts["delivered"] += 1
        inbox = self._inboxes.get(message.recipient)
        if inbox is None:
            inbox = self._inboxes[message.recipient] = deque()
        inbox.append(message)
        return True

    def inbox(self, handset: str) -> Iterable[AcceptedMessage]:
        """The messages in a handset, oldest first."""
        return self._inboxes.get(handset, ())

    def messages(self, *, account: str = "", sender: str = "", recipient: str = "") -> Iterator[AcceptedMessage]:
        """Messages in the order of their first parts; an empty filter matches all."""
        for message in self._messages:
            if (
                account in ("", message.account)
                and sender in ("", message.sender)
                and recipient in ("", message.recipient)
            ):
                yield message

    def repetitions(self) -> Counter[tuple[str, str, str | None]]:
        """How often each sender sent each recipient the same text."""
        return Counter(
            (message.sender, message.recipient, message.text) for message in self._messages if message.text is not None
        )

    def _add_message(self, submission: Submission, part_id: str, at: float) -> AcceptedMessage:
        message = AcceptedMessage(
            submission.account,
            submission.via,
            submission.sender,
            submission.recipient,
            None,
            submission.reference,
            submission.parts,
            submission.segments,
            (part_id,),
            at,
            submission.media,
            submission.application,
        )
        self._messages.append(message)
        if len(self._messages) > self._max_kept:
            self._drop_oldest()
        return message

    def _add_piece(self, message: AcceptedMessage, submission: Submission, key: tuple[str, str, str, int, int]) -> None:
        if submission.part in message.pieces:
            message.repeated_parts += 1
            self.counts["repeated_parts"] += 1
            return
        message.pieces[submission.part] = submission.text
        if len(message.pieces) == submission.parts:
            del self._incomplete[key]
            joined = "".join(message.pieces[number] for number in sorted(message.pieces))
            # A surrogate pair may be split between parts; decoding the joined UTF-16 repairs it.
            message.text = joined.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
            message.pieces = {}
            self.counts["messages"] += 1

    def _drop_oldest(self) -> None:
        oldest = self._messages.popleft()
        inbox = self._inboxes.get(oldest.recipient)
        if inbox is not None and oldest.delivered_at is not None:
            inbox.remove(oldest)
            if not inbox:
                del self._inboxes[oldest.recipient]


def view_of(message: AcceptedMessage, *, times: int = 1) -> MessageView:
    """A message as the control plane shows it."""
    return MessageView(
        ids=message.ids,
        account=message.account,
        via=message.via.value,
        sender=message.sender,
        recipient=message.recipient,
        text=message.text,
        media=message.media,
        reference=message.reference,
        parts=message.parts,
        parts_here=len(message.pieces) if message.text is None else message.parts,
        repeated_parts=message.repeated_parts,
        segments=message.segments,
        state=message.state,
        code=message.code,
        accepted_at=stamp(message.accepted_at),
        delivered_at=None if message.delivered_at is None else stamp(message.delivered_at),
        times=times,
    )
