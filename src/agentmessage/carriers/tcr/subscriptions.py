"""Telling the registry where to call us back (docs/carriers/tcr.md, section 4)."""

from msgspec import Struct

from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.protocols import Accepted, Answer
from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.client import Nothing, TcrClient

CATEGORIES = ("BRAND", "CAMPAIGN")
"""Event categories that we listen to."""


class _Subscription(Struct, rename="camel"):
    event_category: str
    webhook_endpoint: str | None = None


class TcrSubscriptions:
    """CallbackSubscriber: one subscription for each event category; a new address replaces the old one."""

    def __init__(self, account: TcrAccount, transport: HttpTransport) -> None:
        self._client = TcrClient(account, transport)

    async def subscribe(self, url: str) -> Answer[None]:
        """Subscribe to what is not subscribed to at this address yet."""
        present = await self._client.read("/webhook/subscription", list[_Subscription])
        if not isinstance(present, Accepted):
            return present
        there = {item.event_category for item in present.value if item.webhook_endpoint == url}
        for category in CATEGORIES:
            if category in there:
                continue
            wanted = {"eventCategory": category, "webhookEndpoint": url}
            answer = await self._client.write("PUT", "/webhook/subscription", Nothing, wanted)
            if not isinstance(answer, Accepted):
                return answer
        return Accepted(None)
