"""Carrier message ids as we compare them: one text's id in an answer and in its receipts must be one.

Carriers write the same id in hexadecimal in one place and in decimal in the other (domain notes, section 5.1), with or
without zeros in front. Where nobody has said which, an id in a receipt is looked for in every way among those that this
process was answered lately.
"""

import re

from agentmessage.carriers.smpp.account import MessageIds
from agentmessage.smpp.receipts import alternatives

REMEMBERED = 100_000

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,64}")
_DECIMAL = re.compile(r"[0-9]{1,64}")


class Identities:
    """The ids of one carrier account."""

    def __init__(self, form: MessageIds) -> None:
        self._form = form
        self._answered: dict[str, None] = {}

    def answered(self, message_id: str) -> str:
        """An id from an answer to a submit, as it is kept."""
        if self._form is MessageIds.HEX_ANSWERS:
            return _decimal(message_id)
        kept = plain(message_id)
        if self._form is MessageIds.AUTO:
            self._answered[kept] = None
            if len(self._answered) > REMEMBERED:
                del self._answered[next(iter(self._answered))]
        return kept

    def told(self, message_id: str) -> str:
        """An id from a receipt, as it is looked for."""
        if self._form is MessageIds.HEX_RECEIPTS:
            return _decimal(message_id)
        kept = plain(message_id)
        if self._form is not MessageIds.AUTO or kept in self._answered:
            return kept
        others = (plain(other) for other in alternatives(message_id))
        return next((other for other in others if other in self._answered), kept)


def plain(message_id: str) -> str:
    """Without spaces, and what may be a number without zeros in front and in one case."""
    written = message_id.strip()
    return (written.lower().lstrip("0") or "0") if _HEXADECIMAL.fullmatch(written) else written


def _decimal(message_id: str) -> str:
    written = message_id.strip()
    return str(int(written, 16)) if _HEXADECIMAL.fullmatch(written) else written
