"""A customer who sends texts to a world that stands still between his calls."""

from typing import Any

from customer import LIVE, Customer

from agentmessage.simulator.messaging.carrier import TextDesk, Verdict
from agentmessage.simulator.messaging.model import Inbound, Receipt, Submission, Telling, Via

SENDER = "+14155550100"
HANDSET = "+12125550112"
"""Served by AT&T, the first operator: its last digit is 2 more than a multiple of four."""


def handset(suffix: int, area: int = 212) -> str:
    return f"+1{area}55501{suffix:02}"


class Texter(Customer):
    """Has one number on a campaign."""

    def __init__(self, *, profile: str = "instant", seed: int = 1, is_registered: bool = True) -> None:
        super().__init__(profile=profile, seed=seed)
        self.have_numbers([SENDER])
        if is_registered:
            self.have_campaign()
            self.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})

    @property
    def desk(self) -> TextDesk:
        return self.world.texts

    def text(self, recipient: str = HANDSET, text: str = "hello", *, sender: str = SENDER, **more: Any) -> Verdict:
        given = Submission(LIVE, Via.SMPP, sender, recipient, text, **more)
        return self.desk.submit(given, at=self.now.timestamp())

    def set(self, **settings: object) -> None:
        self.control("texts/settings", settings)

    def break_(self, **faults: object) -> None:
        self.control("faults", {"probabilities": faults})

    def told(self, via: Via = Via.SMPP) -> list[Telling]:
        """Everything that waits, acknowledged."""
        waiting = self.desk.waiting[LIVE, via]
        told = list(waiting)
        waiting.clear()
        for telling in told:
            self.desk.acknowledge(telling)
        return told

    def receipts(self, via: Via = Via.SMPP) -> list[tuple[str, str]]:
        """Id and state of every receipt that waits."""
        return [(told.handed.id, told.stat.value) for told in self.told(via) if isinstance(told, Receipt)]

    def answers(self, via: Via = Via.SMPP) -> list[tuple[str, str]]:
        """Handset and words of every text that waits."""
        return [(told.sender, told.text) for told in self.told(via) if isinstance(told, Inbound)]

    def inbox(self, number: str = HANDSET) -> list[dict[str, Any]]:
        return self.control(f"handsets/{number}/inbox")["texts"]

    def counts(self) -> dict[str, int]:
        return self.control("texts?limit=0")["counts"]
