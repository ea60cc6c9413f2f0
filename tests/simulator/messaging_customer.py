"""A customer that sends messages to a world whose time only the test advances."""

from typing import Any

from customer import LIVE, Customer

from agentmessage.simulator.messaging.carrier import MessagingCarrier, SubmitOutcome
from agentmessage.simulator.messaging.model import CustomerDelivery, InboundPart, ReceiptDelivery, Submission, Via

SENDER = "+14155550100"
HANDSET = "+12125550112"
"""Served by AT&T, the first operator: its last digit is 2 more than a multiple of four."""


def handset(suffix: int, area: int = 212) -> str:
    return f"+1{area}55501{suffix:02}"


class MessagingCustomer(Customer):
    """A customer with one number on a campaign."""

    def __init__(self, *, profile: str = "instant", seed: int = 1, is_registered: bool = True) -> None:
        super().__init__(profile=profile, seed=seed)
        self.have_numbers([SENDER])
        if is_registered:
            self.have_campaign()
            self.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})

    @property
    def carrier(self) -> MessagingCarrier:
        return self.world.messaging

    def send(
        self, recipient: str = HANDSET, text: str = "hello", *, sender: str = SENDER, **more: Any
    ) -> SubmitOutcome:
        submission = Submission(LIVE, Via.SMPP, sender, recipient, text, **more)
        return self.carrier.submit(submission, at=self.now.timestamp())

    def set(self, **settings: object) -> None:
        self.control("messages/settings", settings)

    def inject(self, **faults: object) -> None:
        self.control("faults", {"probabilities": faults})

    def take_deliveries(self, via: Via = Via.SMPP) -> list[CustomerDelivery]:
        """Everything that is ready to be delivered, acknowledged."""
        waiting = self.carrier.waiting[LIVE, via]
        deliveries = list(waiting)
        waiting.clear()
        for delivery in deliveries:
            self.carrier.acknowledge(delivery)
        return deliveries

    def receipts(self, via: Via = Via.SMPP) -> list[tuple[str, str]]:
        """Id and state of every receipt that is ready."""
        deliveries = self.take_deliveries(via)
        return [(receipt.part.id, receipt.stat.value) for receipt in deliveries if isinstance(receipt, ReceiptDelivery)]

    def inbound(self, via: Via = Via.SMPP) -> list[tuple[str, str]]:
        """Handset and text of every inbound message that is ready."""
        return [(part.sender, part.text) for part in self.take_deliveries(via) if isinstance(part, InboundPart)]

    def inbox(self, number: str = HANDSET) -> list[dict[str, Any]]:
        return self.control(f"handsets/{number}/inbox")["messages"]

    def counts(self) -> dict[str, int]:
        return self.control("messages?limit=0")["counts"]
