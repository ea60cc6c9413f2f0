"""What became of every text, by text and by handset: the memory behind the inboxes and the oracle."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from agentmessage.simulator.core.shared_state import stamp
from agentmessage.simulator.messaging.model import Ending, Stat, Submission, Text

MOST_KEPT = 500_000
"""Texts that are remembered in full; older ones only count."""


class ShownText(Struct, frozen=True):
    """A text as the oracle and an inbox show it; `times` is how many texts are the same but for their ids."""

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


class TextBook:
    """Remembers texts, puts parts together, and fills the inboxes of handsets."""

    def __init__(self, *, most_kept: int = MOST_KEPT) -> None:
        self.counts: Counter[str] = Counter()
        self._most_kept = most_kept
        self._texts: deque[Text] = deque()
        self._inboxes: dict[str, deque[Text]] = {}
        self._joining: dict[tuple[str, str, str, int, int], Text] = {}

    def take(self, given: Submission, part_id: str, *, at: float) -> Text:
        """Enter an accepted part; the text is new, or one that waited for this part."""
        self.counts["parts"] += 1
        self.counts["segments"] += given.segments
        if given.parts == 1:
            text = self._begin(given, part_id, at)
            text.text = given.text
            self.counts["texts"] += 1
            return text
        key = (given.account, given.sender, given.recipient, given.joint, given.parts)
        text = self._joining.get(key)
        if text is None:
            text = self._joining[key] = self._begin(given, part_id, at)
        else:
            text.ids += (part_id,)
            text.segments += given.segments
        self._join(text, given, key)
        return text

    def finish(self, text: Text, ending: Ending, *, at: float) -> bool:
        """A part has come to its end; whether the whole text is in the handset now."""
        text.arrived += 1
        if ending.stat is not Stat.DELIVERED:
            text.state, text.code = ending.stat.value, str(ending.code)
            self.counts["parts_failed"] += 1
            return False
        self.counts["parts_delivered"] += 1
        if text.text is None or text.arrived < text.parts or text.state != "accepted":
            return False
        text.state, text.delivered_at = Stat.DELIVERED.value, at
        self.counts["delivered"] += 1
        inbox = self._inboxes.get(text.recipient)
        if inbox is None:
            inbox = self._inboxes[text.recipient] = deque()
        inbox.append(text)
        return True

    def inbox(self, handset: str) -> Iterable[Text]:
        """What a handset shows, oldest first."""
        return self._inboxes.get(handset, ())

    def texts(self, *, account: str = "", sender: str = "", recipient: str = "") -> Iterator[Text]:
        """Texts in the order in which their first part came; an empty word matches all."""
        for text in self._texts:
            if account in ("", text.account) and sender in ("", text.sender) and recipient in ("", text.recipient):
                yield text

    def repetitions(self) -> Counter[tuple[str, str, str | None]]:
        """How often each sender sent each recipient the very same words."""
        return Counter((text.sender, text.recipient, text.text) for text in self._texts if text.text is not None)

    def _begin(self, given: Submission, part_id: str, at: float) -> Text:
        text = Text(
            given.account,
            given.via,
            given.sender,
            given.recipient,
            None,
            given.reference,
            given.parts,
            given.segments,
            (part_id,),
            at,
            given.media,
            given.application,
        )
        self._texts.append(text)
        if len(self._texts) > self._most_kept:
            self._forget_oldest()
        return text

    def _join(self, text: Text, given: Submission, key: tuple[str, str, str, int, int]) -> None:
        if given.part in text.pieces:
            text.repeated_parts += 1
            self.counts["repeated_parts"] += 1
            return
        text.pieces[given.part] = given.text
        if len(text.pieces) == given.parts:
            del self._joining[key]
            joined = "".join(text.pieces[number] for number in sorted(text.pieces))
            # A pair of surrogates may have been cut; in UTF-16 its halves find each other again.
            text.text = joined.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
            text.pieces = {}
            self.counts["texts"] += 1

    def _forget_oldest(self) -> None:
        oldest = self._texts.popleft()
        inbox = self._inboxes.get(oldest.recipient)
        if inbox is not None and oldest.delivered_at is not None:
            inbox.remove(oldest)
            if not inbox:
                del self._inboxes[oldest.recipient]


def show(text: Text, *, times: int = 1) -> ShownText:
    """A text for people and tests."""
    return ShownText(
        ids=text.ids,
        account=text.account,
        via=text.via.value,
        sender=text.sender,
        recipient=text.recipient,
        text=text.text,
        media=text.media,
        reference=text.reference,
        parts=text.parts,
        parts_here=len(text.pieces) if text.text is None else text.parts,
        repeated_parts=text.repeated_parts,
        segments=text.segments,
        state=text.state,
        code=text.code,
        accepted_at=stamp(text.accepted_at),
        delivered_at=None if text.delivered_at is None else stamp(text.delivered_at),
        times=times,
    )
