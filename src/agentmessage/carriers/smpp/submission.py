"""One text on its way to the carrier: part after part, until the carrier has answered for all of them."""

from collections.abc import Callable, Sequence

from agentmessage.carriers.messaging import Handed, OutboundText, TextAnswer
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown
from agentmessage.carriers.smpp.codes import RetryOnce, status_meaning
from agentmessage.smpp.pdu import SubmitSm
from agentmessage.smpp.settings import Outcome, Result


class Handing:
    """The parts of one text, the next of which goes when the last was taken.

    So a text that the carrier does not want is refused whole, before anything of it is sent.
    """

    __slots__ = ("_asked_again", "_ids", "_on_answer", "_parts", "deadline", "is_over", "text")

    def __init__(
        self,
        text: OutboundText,
        parts: Sequence[SubmitSm],
        on_answer: Callable[[TextAnswer], object],
        *,
        deadline: float,
    ) -> None:
        self.text = text
        self.deadline = deadline
        self.is_over = False
        self._parts = parts
        self._on_answer = on_answer
        self._ids: list[str] = []
        self._asked_again = False

    @property
    def is_begun(self) -> bool:
        """The carrier has a part of it."""
        return bool(self._ids)

    @property
    def has_one_part(self) -> bool:
        """A late answer then speaks for the whole text."""
        return len(self._parts) == 1

    @property
    def part(self) -> SubmitSm:
        """The one to be sent next."""
        return self._parts[len(self._ids)]

    def taken(self, carrier_message_id: str) -> bool:
        """The carrier took the part; True: another is to be sent."""
        self._ids.append(carrier_message_id)
        if len(self._ids) < len(self._parts):
            return True
        self.end(Accepted(Handed(tuple(self._ids))))
        return False

    def refused(self, result: Result) -> Deferred | None:
        """The carrier did not take the part; a Deferred where it shall be sent once more by us."""
        if result.status is None:
            lost = result.outcome is Outcome.LOST
            self.end(Unknown("the line was lost before the answer" if lost else "no answer in time"))
            return None
        meaning = status_meaning(result.status)
        if isinstance(meaning, RetryOnce):
            if not self._asked_again:
                self._asked_again = True
                return Deferred(meaning.refusal.code, 0.0)
            meaning = meaning.refusal
        if not self.is_begun:
            self.end(meaning)
        elif isinstance(meaning, Deferred):
            return meaning
        else:
            self.end(Unknown(f"{len(self._ids)} of {len(self._parts)} parts were taken", raw=str(meaning)))
        return None

    def give_up(self, reason: str) -> None:
        """It cannot be sent on now: nothing was sent, or a part of it and nobody knows what the handset will show."""
        if self.is_begun:
            self.end(Unknown(f"{len(self._ids)} of {len(self._parts)} parts were taken: {reason}"))
        else:
            self.end(Deferred(reason, LINE_DOWN_S))

    def end(self, answer: TextAnswer) -> None:
        """Tell what came of it, once."""
        if not self.is_over:
            self.is_over = True
            self._on_answer(answer)


LINE_DOWN_S = 1.0
