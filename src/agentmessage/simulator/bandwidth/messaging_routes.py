"""Bandwidth's Messaging v2: taking texts, and its callbacks (the vendor's OpenAPI document, createMessage)."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from agentmessage.simulator.core.entities import Application
from agentmessage.simulator.core.http_types import Breakage, Reply, json_reply
from agentmessage.simulator.core.routing import Call, Refused, Route
from agentmessage.simulator.core.shared_state import stamp
from agentmessage.simulator.messaging.carrier import TextDesk
from agentmessage.simulator.messaging.magic_numbers import RECIPIENT_INVALID, SENDER_UNKNOWN, Refusal
from agentmessage.simulator.messaging.model import Inbound, Receipt, Stat, Submission, Telling, Via
from agentmessage.sms.numbers import is_e164
from agentmessage.sms.segments import measure

SEND = "messages.send"
"""The operation, by the name that faults and counters use."""

MOST_TEXT = 2048
MOST_TAG = 1024
MOST_URL = 4096

_TYPES = {Stat.ENROUTE: "message-sending", Stat.ACCEPTED: "message-sent", Stat.DELIVERED: "message-delivered"}
_WORDS = {
    Stat.ENROUTE: "Message is sending to carrier.",
    Stat.ACCEPTED: "Message sent to carrier",
    Stat.DELIVERED: "Message delivered to handset.",
}
_ERROR_TYPES = {
    400: "request-validation",
    401: "unauthorized",
    403: "forbidden",
    429: "too-many-requests",
    500: "internal-error",
    503: "service-unavailable",
}
_URI = re.compile(r"https?://[^\s]+")


class _FieldError(Struct, frozen=True, rename="camel"):
    field_name: str
    description: str


class _MessageRequest(Struct, rename="camel"):
    """What the vendor reads; members that it does not know are ignored."""

    application_id: str | None = None
    to: list[str] | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    text: str = ""
    media: list[str] = []
    tag: str | None = None
    priority: str | None = None
    expiration: str | None = None


class _Message(Struct, rename="camel", omit_defaults=True):
    """A text as answers and callbacks print it."""

    id: str
    owner: str
    application_id: str
    time: str
    segment_count: int
    direction: str
    to: tuple[str, ...]
    from_: str = msgspec.field(name="from")
    media: tuple[str, ...] | UnsetType = UNSET
    text: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET
    priority: str | UnsetType = UNSET
    expiration: str | UnsetType = UNSET


class _Event(Struct, rename="camel", omit_defaults=True):
    """One element of a callback."""

    time: str
    type: str
    to: str
    description: str
    message: _Message
    error_code: int | UnsetType = UNSET


def messaging_error(
    status: int, description: str, *, faults: Sequence[_FieldError] = (), wait_s: float | None = None
) -> Reply:
    """An error as this API words it."""
    body: dict[str, object] = {"type": _ERROR_TYPES.get(status, "unknown"), "description": description}
    if faults:
        body["fieldErrors"] = faults
    headers = {} if wait_s is None else {"retry-after": str(max(1, round(wait_s)))}
    return json_reply(status, body, headers=headers)


class MessageRoutes:
    """`POST /api/v2/users/{accountId}/messages`."""

    def __init__(self, desk: TextDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Every operation on texts."""
        return [Route("POST", "/api/v2/users/*/messages", SEND, self.send)]

    def send(self, call: Call) -> Reply:
        """Take one text to one recipient; groups are not simulated."""
        asked = _read(call)
        sender, recipient = asked.from_ or "", (asked.to or [""])[0]
        application = call.account.applications.get(asked.application_id or "")
        faults = list(_faults(asked, call.at))
        if application is None:
            faults.append(_FieldError("applicationId", "is not an application of this account"))
        if faults or application is None:
            return messaging_error(400, "Your request could not be accepted.", faults=faults)
        segments = 1 if asked.media else measure(asked.text).segments
        given = Submission(
            call.account.id,
            Via.BANDWIDTH,
            sender,
            recipient,
            asked.text,
            asked.tag or "",
            segments=segments,
            media=tuple(asked.media),
            application=application.id,
        )
        verdict = self._desk.submit(given, at=call.at)
        if verdict.breakage is Breakage.HANG_BEFORE:
            return Reply(503, fault=verdict.breakage)
        if verdict.refusal is not None:
            return _refused(verdict.refusal)
        message = _message_of(given, verdict.id, call.at)
        message.text = asked.text
        message.priority = asked.priority or UNSET
        message.expiration = asked.expiration or UNSET
        reply = json_reply(202, message)
        return Reply(202, reply.headers, reply.body, delay_s=verdict.delay_s, fault=verdict.breakage)


def callback_body(tellings: Sequence[Telling], application: Application) -> bytes:
    """The JSON array of one callback."""
    return msgspec.json.encode([_event(telling, application) for telling in tellings])


def callback_headers(application: Application, *, is_forged: bool = False) -> dict[str, str]:
    """With the credentials of the application, where it has any; or with somebody else's."""
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": "BandwidthAPI/v2"}
    if application.username or is_forged:
        password = "forged" if is_forged else application.password
        token = base64.b64encode(f"{application.username}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {token}"
    return headers


def _event(telling: Telling, application: Application) -> _Event:
    if isinstance(telling, Inbound):
        message = _Message(
            telling.id,
            telling.recipient,
            application.id,
            stamp(telling.at),
            telling.segments,
            "in",
            (telling.recipient,),
            telling.sender,
            media=telling.media or UNSET,
            text=telling.text,
        )
        return _Event(stamp(telling.at), "message-received", telling.recipient, "Incoming message received", message)
    return _status_event(telling)


def _status_event(receipt: Receipt) -> _Event:
    handed = receipt.handed
    text = handed.text
    message = _Message(
        handed.id,
        text.sender,
        text.application,
        stamp(text.accepted_at),
        text.segments,
        "out",
        (text.recipient,),
        text.sender,
        media=text.media or UNSET,
        text="",
        tag=text.reference or UNSET,
    )
    kind = _TYPES.get(receipt.stat, "message-failed")
    is_failed = kind == "message-failed"
    return _Event(
        stamp(receipt.at),
        kind,
        text.recipient,
        handed.ending.words if is_failed else _WORDS[receipt.stat],
        message,
        handed.ending.code if is_failed else UNSET,
    )


def _message_of(given: Submission, message_id: str, at: float) -> _Message:
    return _Message(
        message_id,
        given.sender,
        given.application,
        stamp(at),
        given.segments,
        "out",
        (given.recipient,),
        given.sender,
        media=given.media or UNSET,
        tag=given.reference or UNSET,
    )


def _read(call: Call) -> _MessageRequest:
    if not call.request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Refused(messaging_error(415, "The content type must be application/json."))
    try:
        return msgspec.json.decode(call.request.body, type=_MessageRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(messaging_error(400, f"The body could not be read: {error}")) from error


def _faults(asked: _MessageRequest, at: float) -> Sequence[_FieldError]:
    checks = (
        ("applicationId", bool(asked.application_id), "is required"),
        ("from", is_e164(asked.from_ or ""), "must be a valid E164 formatted telephone number"),
        ("to", bool(asked.to) and all(map(is_e164, asked.to or ())), "must be valid E164 formatted telephone numbers"),
        ("to", len(asked.to or ()) <= 1, "must be one number here: groups are not simulated"),
        ("text", len(asked.text) <= MOST_TEXT, f"must be {MOST_TEXT} characters or less"),
        ("text", bool(asked.text) or bool(asked.media), "is required unless media is given"),
        ("media", all(_URI.fullmatch(url) and len(url) <= MOST_URL for url in asked.media), "must be URLs"),
        ("tag", len(asked.tag or "") <= MOST_TAG, f"must be {MOST_TAG} characters or less"),
        ("priority", asked.priority in (None, "default", "high"), "must be default or high"),
        ("expiration", _is_ahead(asked.expiration, at), "must be an RFC-3339 time in the future"),
    )
    return [_FieldError(name, words) for name, holds, words in checks if not holds]


def _is_ahead(expiration: str | None, at: float) -> bool:
    if expiration is None:
        return True
    try:
        moment = datetime.fromisoformat(expiration)
    except ValueError:
        return False
    return moment.tzinfo is not None and moment > datetime.fromtimestamp(at, UTC)


def _refused(refusal: Refusal) -> Reply:
    wait_s = 1.0 if refusal.http_status == 429 else None  # noqa: PLR2004  the status's own number
    field = {SENDER_UNKNOWN.name: "from", RECIPIENT_INVALID.name: "to"}.get(refusal.name)
    faults = [] if field is None else [_FieldError(field, refusal.words)]
    return messaging_error(refusal.http_status, refusal.words, faults=faults, wait_s=wait_s)
