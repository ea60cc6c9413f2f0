"""Texts over Bandwidth's Messaging v2: SMS, and MMS by the addresses of its media (contract, section 7).

Our message id travels as the tag and comes back in every callback, so that a text whose answer was lost is found again
by what is told of it. What happens to a text is told by callbacks only; `BandwidthTextCallbacks` reads them.
"""

import asyncio
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.message_codes import refusal_of
from agentmessage.carriers.http import HttpAnswer, HttpTransport
from agentmessage.carriers.http_request import Misunderstood, Request, ask, basic, decode_json, is_yes, shown
from agentmessage.carriers.messaging import THROTTLED, Handed, Hear, OutboundText, TextAnswer, TextError, TextRefused
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown

NAME = "bandwidth"
AT_ONCE = 64
"""Requests in flight at most: as many as the transport has connections."""

MOST_TEXT = 2048
HIGH = 0

CREDENTIALS_PATIENCE_S = 60.0
"""After a 401: nothing was sent, and the operator needs time to put the credentials right."""

_UNAUTHORIZED = 401
_encode = msgspec.json.Encoder().encode


class _Submission(Struct, rename="camel"):
    application_id: str
    to: list[str]
    from_: str = msgspec.field(name="from")
    text: str
    tag: str
    priority: str
    expiration: str
    media: list[str] | UnsetType = UNSET


class _Receipt(Struct):
    id: str


class BandwidthTexts:
    """TextCarrier of one account."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        root = (account.messaging_url or account.base_url).rstrip("/")
        self._account = account
        self._transport = transport
        self._url = f"{root}/api/v2/users/{account.account_id}/messages"
        self._headers = {
            "authorization": basic(account.username, account.password),
            "accept": "application/json",
            "content-type": "application/json; charset=utf-8",
        }
        self._in_flight = 0
        self._paused_until = 0.0
        self._freed = asyncio.Event()

    @property
    def name(self) -> str:
        """See TextCarrier.name."""
        return NAME

    @property
    def channels(self) -> frozenset[str]:
        """Both."""
        return frozenset({"sms", "mms"})

    @property
    def room(self) -> int:
        """See TextCarrier.room."""
        return 0 if self._pause_s() > 0 else max(0, AT_ONCE - self._in_flight)

    async def run(self, hear: Hear) -> None:
        """Wait: what the carrier tells comes to the API process as callbacks."""
        del hear
        await asyncio.Event().wait()

    async def until_room(self) -> None:
        """See TextCarrier.until_room."""
        while not self.room:
            pause_s = self._pause_s()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
                continue
            self._freed.clear()
            await self._freed.wait()

    async def send(self, text: OutboundText) -> TextAnswer:
        """See TextCarrier.send."""
        if len(text.text) > MOST_TEXT:
            return TextRefused(TextError.CONTENT_INVALID, "", f"longer than {MOST_TEXT} characters")
        self._in_flight += 1
        try:
            return self._read(await self._ask(text))
        finally:
            self._in_flight -= 1
            self._freed.set()

    async def _ask(self, text: OutboundText) -> HttpAnswer | Deferred | Unknown:
        request = Request(
            method="POST",
            url=self._url,
            headers=self._headers,
            body=_encode(self._submission(text)),
            is_write=True,
            believes_unavailable=True,
            timeout_s=self._account.timeout_s,
        )
        return await ask(self._transport, request)

    def _submission(self, text: OutboundText) -> _Submission:
        return _Submission(
            application_id=self._account.application_id,
            to=[text.recipient],
            from_=text.sender,
            text=text.text,
            tag=str(text.message_id),
            priority="high" if text.priority == HIGH else "default",
            expiration=_rfc3339(text.expires_at),
            media=list(text.media) or UNSET,
        )

    def _read(self, answer: HttpAnswer | Deferred | Unknown) -> TextAnswer:
        match answer:
            case HttpAnswer(status=status) if status == _UNAUTHORIZED:
                return self._wait(Deferred("the credentials were not accepted", CREDENTIALS_PATIENCE_S))
            case HttpAnswer() if is_yes(answer):
                return _accepted(answer)
            case HttpAnswer():
                return refusal_of(answer)
            case Deferred(reason="too many requests"):
                return self._wait(Deferred(THROTTLED, answer.retry_after_s))
            case Deferred():
                return self._wait(answer)
            case Unknown():
                return answer

    def _wait(self, deferred: Deferred) -> Deferred:
        """Nobody sends before the carrier's patience is over: it would only hear the same."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + deferred.retry_after_s)
        return deferred

    def _pause_s(self) -> float:
        if not self._paused_until:
            return 0.0
        return self._paused_until - asyncio.get_running_loop().time()


def _accepted(answer: HttpAnswer) -> Accepted[Handed] | Unknown:
    try:
        receipt = decode_json(answer.body, _Receipt)
    except Misunderstood as error:
        return Unknown(f"status {answer.status} not understood: {error}", shown(answer.body))
    return Accepted(Handed((receipt.id,)))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
