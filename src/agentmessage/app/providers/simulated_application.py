"""What one does by hand at a real carrier and a simulator is told by request: where callbacks of texts go."""

import msgspec

from agentmessage.carriers.bandwidth import BandwidthAccount
from agentmessage.carriers.http import HttpAnswer, HttpTransport
from agentmessage.carriers.http_request import Request, ask, is_yes, shown
from agentmessage.carriers.protocols import Accepted, Answer, Unknown


class SimulatedApplication:
    """CallbackSubscriber of a messaging application at the simulator; at Bandwidth it is set up in the dashboard."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self._account = account
        self._transport = transport

    async def subscribe(self, url: str) -> Answer[None]:
        """Have callbacks of texts sent to `url`. Safe to repeat."""
        account = self._account
        order = {
            "id": account.application_id,
            "url": url,
            "username": account.callback_username,
            "password": account.callback_password,
            "account": account.account_id,
        }
        request = Request(
            method="POST",
            url=f"{account.base_url.rstrip('/')}/_control/applications",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(order),
            timeout_s=account.timeout_s,
        )
        answer = await ask(self._transport, request)
        if not isinstance(answer, HttpAnswer):
            return answer
        return Accepted(None) if is_yes(answer) else Unknown(f"status {answer.status}", shown(answer.body))
