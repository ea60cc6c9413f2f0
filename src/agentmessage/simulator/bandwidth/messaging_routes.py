"""Bandwidth's Messaging v2: sending messages, and its callbacks (the vendor's OpenAPI document, createMessage)."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from agentmessage.simulator.core.entities import MessagingApplication
from agentmessage.simulator.core.http_types import Breakage, HttpResponse, json_response
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, VendorRoute
from agentmessage.simulator.core.shared_state import stamp
from agentmessage.simulator.messaging.carrier import MessagingCarrier
from agentmessage.simulator.messaging.magic_numbers import RECIPIENT_INVALID, SENDER_UNKNOWN, SubmitError
from agentmessage.simulator.messaging.model import CustomerDelivery, InboundPart, ReceiptDelivery, Stat, Submission, Via
from agentmessage.sms.numbers import is_e164
from agentmessage.sms.segments import measure

SEND = "messages.send"
"""The operation name for faults and counters."""

MAX_TEXT_CHARACTERS = 2048
MAX_TAG_CHARACTERS = 1024
MAX_URL_CHARACTERS = 4096

_TYPES = {Stat.ENROUTE: "message-sending", Stat.ACCEPTED: "message-sent", Stat.DELIVERED: "message-delivered"}
_DESCRIPTIONS = {
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


class _RequestFieldError(Struct, frozen=True, rename="camel"):
    field_name: str
    description: str


class _MessageRequest(Struct, rename="camel"):
    """The members that the vendor reads; unknown ones are ignored."""

    application_id: str | None = None
    to: list[str] | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    text: str = ""
    media: list[str] = []
    tag: str | None = None
    priority: str | None = None
    expiration: str | None = None


class _MessageBody(Struct, rename="camel", omit_defaults=True):
    """A message in responses and callbacks."""

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


class _CallbackEvent(Struct, rename="camel", omit_defaults=True):
    """One element of a callback."""

    time: str
    type: str
    to: str
    description: str
    message: _MessageBody
    error_code: int | UnsetType = UNSET


def messaging_error(
    status: int, description: str, *, field_errors: Sequence[_RequestFieldError] = (), wait_s: float | None = None
) -> HttpResponse:
    """An error response of this API."""
    body: dict[str, object] = {"type": _ERROR_TYPES.get(status, "unknown"), "description": description}
    if field_errors:
        body["fieldErrors"] = field_errors
    headers = {} if wait_s is None else {"retry-after": str(max(1, round(wait_s)))}
    return json_response(status, body, headers=headers)


class MessageRoutes:
    """`POST /api/v2/users/{accountId}/messages`."""

    def __init__(self, carrier: MessagingCarrier) -> None:
        self._carrier = carrier

    def routes(self) -> list[VendorRoute]:
        """Every operation on messages."""
        return [VendorRoute("POST", "/api/v2/users/*/messages", SEND, self.send)]

    def send(self, call: ApiCall) -> HttpResponse:
        """Send a message to one recipient; groups are not simulated."""
        body = _read(call)
        sender, recipient = body.from_ or "", (body.to or [""])[0]
        application = call.account.applications.get(body.application_id or "")
        field_errors = list(_field_errors(body, call.at))
        if application is None:
            field_errors.append(_RequestFieldError("applicationId", "is not an application of this account"))
        if field_errors or application is None:
            return messaging_error(400, "Your request could not be accepted.", field_errors=field_errors)
        segments = 1 if body.media else measure(body.text).segments
        submission = Submission(
            call.account.id,
            Via.BANDWIDTH,
            sender,
            recipient,
            body.text,
            body.tag or "",
            segments=segments,
            media=tuple(body.media),
            application=application.id,
        )
        outcome = self._carrier.submit(submission, at=call.at)
        if outcome.breakage is Breakage.HANG_BEFORE:
            return HttpResponse(503, breakage=outcome.breakage)
        if outcome.error is not None:
            return _rejected(outcome.error)
        message = _message_of(submission, outcome.id, call.at)
        message.text = body.text
        message.priority = body.priority or UNSET
        message.expiration = body.expiration or UNSET
        response = json_response(202, message)
        return HttpResponse(202, response.headers, response.body, delay_s=outcome.delay_s, breakage=outcome.breakage)


def callback_body(deliveries: Sequence[CustomerDelivery], application: MessagingApplication) -> bytes:
    """The JSON array of one callback."""
    return msgspec.json.encode([_event(delivery, application) for delivery in deliveries])


def callback_headers(application: MessagingApplication, *, is_forged: bool = False) -> dict[str, str]:
    """The headers with the application's credentials, if any, or with forged ones."""
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": "BandwidthAPI/v2"}
    if application.username or is_forged:
        password = "forged" if is_forged else application.password
        token = base64.b64encode(f"{application.username}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {token}"
    return headers


def _event(delivery: CustomerDelivery, application: MessagingApplication) -> _CallbackEvent:
    if isinstance(delivery, InboundPart):
        message = _MessageBody(
            delivery.id,
            delivery.recipient,
            application.id,
            stamp(delivery.at),
            delivery.segments,
            "in",
            (delivery.recipient,),
            delivery.sender,
            media=delivery.media or UNSET,
            text=delivery.text,
        )
        return _CallbackEvent(
            stamp(delivery.at), "message-received", delivery.recipient, "Incoming message received", message
        )
    return _status_event(delivery)


def _status_event(receipt: ReceiptDelivery) -> _CallbackEvent:
    part = receipt.part
    message = part.message
    body = _MessageBody(
        part.id,
        message.sender,
        message.application,
        stamp(message.accepted_at),
        message.segments,
        "out",
        (message.recipient,),
        message.sender,
        media=message.media or UNSET,
        text="",
        tag=message.reference or UNSET,
    )
    kind = _TYPES.get(receipt.stat, "message-failed")
    is_failed = kind == "message-failed"
    return _CallbackEvent(
        stamp(receipt.at),
        kind,
        message.recipient,
        part.final_status.description if is_failed else _DESCRIPTIONS[receipt.stat],
        body,
        part.final_status.code if is_failed else UNSET,
    )


def _message_of(submission: Submission, message_id: str, at: float) -> _MessageBody:
    return _MessageBody(
        message_id,
        submission.sender,
        submission.application,
        stamp(at),
        submission.segments,
        "out",
        (submission.recipient,),
        submission.sender,
        media=submission.media or UNSET,
        tag=submission.reference or UNSET,
    )


def _read(call: ApiCall) -> _MessageRequest:
    if not call.request.headers.get("content-type", "").lower().startswith("application/json"):
        raise RequestRejected(messaging_error(415, "The content type must be application/json."))
    try:
        return msgspec.json.decode(call.request.body, type=_MessageRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestRejected(messaging_error(400, f"The body could not be read: {error}")) from error


def _field_errors(body: _MessageRequest, at: float) -> Sequence[_RequestFieldError]:
    checks = (
        ("applicationId", bool(body.application_id), "is required"),
        ("from", is_e164(body.from_ or ""), "must be a valid E164 formatted telephone number"),
        ("to", bool(body.to) and all(map(is_e164, body.to or ())), "must be valid E164 formatted telephone numbers"),
        ("to", len(body.to or ()) <= 1, "must be one number here: groups are not simulated"),
        ("text", len(body.text) <= MAX_TEXT_CHARACTERS, f"must be {MAX_TEXT_CHARACTERS} characters or less"),
        ("text", bool(body.text) or bool(body.media), "is required unless media is given"),
        ("media", all(_URI.fullmatch(url) and len(url) <= MAX_URL_CHARACTERS for url in body.media), "must be URLs"),
        ("tag", len(body.tag or "") <= MAX_TAG_CHARACTERS, f"must be {MAX_TAG_CHARACTERS} characters or less"),
        ("priority", body.priority in (None, "default", "high"), "must be default or high"),
        ("expiration", _is_future(body.expiration, at), "must be an RFC-3339 time in the future"),
    )
    return [_RequestFieldError(name, description) for name, is_valid, description in checks if not is_valid]


def _is_future(expiration: str | None, at: float) -> bool:
    if expiration is None:
        return True
    try:
        expires_at = datetime.fromisoformat(expiration)
    except ValueError:
        return False
    return expires_at.tzinfo is not None and expires_at > datetime.fromtimestamp(at, UTC)


def _rejected(error: SubmitError) -> HttpResponse:
    wait_s = 1.0 if error.http_status == 429 else None  # noqa: PLR2004  the status's own number
    field = {SENDER_UNKNOWN.name: "from", RECIPIENT_INVALID.name: "to"}.get(error.name)
    field_errors = [] if field is None else [_RequestFieldError(field, error.description)]
    return messaging_error(error.http_status, error.description, field_errors=field_errors, wait_s=wait_s)
