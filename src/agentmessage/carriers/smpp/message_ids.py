"""Carrier message ids as we compare them: one message's id in an answer and in its receipts must be one; pure.

Carriers write the same id with or without zeros in front, in either case, and some in hexadecimal in one place and in
decimal in the other. Which form a carrier has is not to be seen from one id: the readings
of an id in a receipt are what it would be in each form, and the database decides.
"""

import re
from collections.abc import Sequence

from agentmessage.carriers.messaging import Reading
from agentmessage.carriers.smpp.account import MessageIds

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,64}")
_DECIMAL = re.compile(r"[0-9]{1,64}")
_GROUPED = re.compile(r"(?=(-?[0-9a-fA-F]){16})[0-9a-fA-F]+(-[0-9a-fA-F]+)+")


def answered(message_id: str, form: MessageIds) -> str:
    """An id from an answer to a submit, as it is kept."""
    return _decimal(message_id) if form is MessageIds.HEX_ANSWERS else plain(message_id)


def told(message_id: str, form: MessageIds) -> str:
    """An id from a receipt, as it is looked for."""
    return _decimal(message_id) if form is MessageIds.HEX_RECEIPTS else plain(message_id)


def readings(message_id: str, form: MessageIds) -> Sequence[Reading]:
    """What else an id from a receipt may be in an answer, where nobody has said how the carrier writes ids."""
    if form is not MessageIds.AUTO:
        return ()
    kept, found = plain(message_id), list[Reading]()
    if _DECIMAL.fullmatch(kept):
        found.append(Reading(MessageIds.HEX_ANSWERS, f"{int(kept):x}"))
    if _HEXADECIMAL.fullmatch(kept):
        found.append(Reading(MessageIds.HEX_RECEIPTS, str(int(kept, 16))))
    return [reading for reading in found if reading.carrier_message_id != kept]


def plain(message_id: str) -> str:
    """Without spaces; what may be a number without zeros in front, and that or a UUID in one case."""
    written = message_id.strip()
    if _GROUPED.fullmatch(written):
        return written.lower()
    return (written.lower().lstrip("0") or "0") if _HEXADECIMAL.fullmatch(written) else written


def _decimal(message_id: str) -> str:
    written = message_id.strip()
    return str(int(written, 16)) if _HEXADECIMAL.fullmatch(written) else written
