"""Messaging callbacks: a JSON array of what became of texts, and of texts from handsets (contract, section 7.3)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.callbacks import MAX_BODY_BYTES, credentials_of, require_credentials
from agentmessage.carriers.bandwidth.message_codes import failure_of
from agentmessage.carriers.http_request import Misunderstood, basic, shown
from agentmessage.carriers.messaging import Heard, InboundHeard, ReceiptHeard, ReceiptState
from agentmessage.carriers.protocols import Callback, UnreadableCallback
from agentmessage.sms import addresses

NAME = "bandwidth"
ON_THE_WAY = frozenset({"message-sending", "message-sent"})
DELIVERED, FAILED, RECEIVED = "message-delivered", "message-failed", "message-received"
MOST_ID = 200
MOST_ADDRESS = 32


class TextCallback(Struct, frozen=True):
    """What one callback tells; `odd` counts elements that were not understood, whatever the others are."""

    heard: Sequence[Heard]
    odd: int


class _Message(Struct, rename="camel"):
    id: str
    from_: str = msgspec.field(default="", name="from")
    text: str | None = None
    tag: str | None = None
    media: list[str] | None = None


class _Event(Struct, rename="camel"):
    type: str
    message: _Message
    to: str = ""
    time: str = ""
    description: str = ""
    error_code: int | None = None


class BandwidthTextCallbacks:
    """Reads the callbacks of one account."""

    def __init__(self, account: BandwidthAccount) -> None:
        self._credentials = credentials_of(basic(account.callback_username, account.callback_password))
        self.max_body_bytes = MAX_BODY_BYTES
        self.is_proven_by_headers = True

    def admit(self, headers: Mapping[str, str]) -> None:
        """See CallbackReader: the credentials are all the proof there is."""
        require_credentials(headers, self._credentials)

    def read(self, callback: Callback) -> TextCallback:
        """What is told. Raises ForgedCallback on other credentials, UnreadableCallback on what is no JSON."""
        self.admit(callback.headers)
        heard: list[Heard] = []
        odd = 0
        for raw in _elements(callback.body):
            try:
                told = _heard(msgspec.json.decode(raw, type=_Event), bytes(raw), callback.received_at)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Misunderstood):
                odd += 1
                continue
            if told is not None:
                heard.append(told)
        return TextCallback(heard, odd)


def _elements(body: bytes) -> list[msgspec.Raw]:
    """The members of the array; an object alone counts as one."""
    try:
        if body.lstrip()[:1] == b"{":
            return [msgspec.json.decode(body, type=msgspec.Raw)]
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableCallback(f"not a JSON array: {error}") from error


def _heard(event: _Event, raw: bytes, now: datetime) -> Heard | None:
    """None for what concerns no text of ours, such as message-read. Raises Misunderstood."""
    if not 0 < len(event.message.id) <= MOST_ID or "\x00" in event.message.id:
        raise Misunderstood("no message id")
    if event.type == RECEIVED:
        return _inbound(event, raw)
    if event.type in ON_THE_WAY:
        return _receipt(event, ReceiptState.SENT, now)
    if event.type == DELIVERED:
        return _receipt(event, ReceiptState.DELIVERED, now)
    return _failure(event, now) if event.type == FAILED else None


def _receipt(event: _Event, state: ReceiptState, now: datetime) -> ReceiptHeard:
    return ReceiptHeard(
        carrier=NAME,
        carrier_message_id=event.message.id,
        message_id=_message_id(event.message.tag),
        state=state,
        happened_at=_moment(event.time) or now,
        raw=shown((event.description or event.type).encode()),
    )


def _failure(event: _Event, now: datetime) -> ReceiptHeard:
    state, error = failure_of(event.error_code or 0)
    code = None if event.error_code is None else str(event.error_code)
    return msgspec.structs.replace(_receipt(event, state, now), error=error, code=code)


def _inbound(event: _Event, raw: bytes) -> InboundHeard:
    recipient = _address(event.to)
    if not recipient.removeprefix("+").isdigit():
        raise Misunderstood(f"not a number of ours: {recipient!r}")
    return InboundHeard(
        carrier=NAME,
        carrier_message_id=event.message.id,
        sender=_address(event.message.from_, texted=recipient),
        recipient=recipient,
        text=(event.message.text or "").replace("\x00", "\ufffd"),
        media=tuple(url.replace("\x00", "") for url in event.message.media or ()),
        received_at=_moment(event.time),
        raw=raw,
    )


def _address(text: str, *, texted: str = "+1") -> str:
    """A number as we write it; a short code, a name or what cannot be read as it is. Raises Misunderstood."""
    if not 0 < len(text) <= MOST_ADDRESS or not text.isprintable():
        raise Misunderstood(f"not an address: {text[:40]!r}")
    return addresses.read(text, texted=texted)


def _message_id(tag: str | None) -> UUID | None:
    """Ours, where the tag is one: others may send through the same account."""
    try:
        return UUID(tag or "")
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
