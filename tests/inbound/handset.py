"""A handset that texts our numbers, as its carrier tells it."""

import itertools
from typing import Any

from agentmessage.carriers.messaging import InboundHeard
from agentmessage.inbound import operations
from agentmessage.kernel.db import Cells
from agentmessage.kernel.ids import new_id
from tests.make.texts import CONTACT

SERIALS = itertools.count()


def heard(text: str, *, to: str, **given: Any) -> InboundHeard:
    """What a carrier tells of one text."""
    values: dict[str, Any] = {
        "carrier": "smpp",
        "carrier_message_id": f"mo-{next(SERIALS)}-{new_id().hex[-6:]}",
        "sender": CONTACT,
        "recipient": to,
        "text": text,
        "raw": text.encode("utf-8", "replace"),
    }
    return InboundHeard(**{**values, **given})


class Handset:
    """Texts one of our numbers; `rung` holds the bells that were rung for it."""

    def __init__(self, cells: Cells, to: str, *, account: str = "live", number: str = CONTACT) -> None:
        self._cells = cells
        self._to = to
        self._account = account
        self._number = number
        self.rung: list[str] = []

    def ring(self, cell: str, bell: str) -> None:
        """Hear a bell."""
        self.rung.append(f"{cell}/{bell}")

    async def texts(self, text: str, **given: Any) -> None:
        """Send one text and wait until it is acknowledged."""
        given.setdefault("sender", self._number)
        await self.tells(heard(text, to=self._to, **given))

    async def tells(self, *texts: InboundHeard) -> None:
        """Have the carrier tell some texts at once."""
        await operations.receive(self._cells, self._account, texts, ring=self.ring)
