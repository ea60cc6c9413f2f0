"""One request to a vendor, and what the line itself already decides before anybody reads the body.

Both adapters share this: the difference between a read (harmless to repeat) and a write (never repeated blindly)
is the same for every vendor, and so is what a broken line, a limit or a sick server means.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import msgspec
from msgspec import Struct

from agentmessage.carriers.http import HttpAnswer, HttpTransport, LineBroke, NotSent
from agentmessage.carriers.protocols import Deferred, Unknown

MAX_RAW_BYTES = 64 * 1024
"""How much of an answer that nobody understood is kept for the operator."""

PATIENCE_S = 10.0
"""Seconds to wait where the vendor asks for patience without saying how much."""

LONGEST_PATIENCE_S = 3600.0


class Request(Struct, frozen=True, kw_only=True):
    """What is sent. `is_write`: doing it twice is not the same as doing it once.

    `believes_unavailable`: a 503 that says when to come again means that nothing was done (RFC 9110, section 15.6.4).
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    is_write: bool = False
    believes_unavailable: bool = False
    timeout_s: float


T = TypeVar("T")


class Misunderstood(Exception):
    """An answer does not have the shape that the contract promises; the words say what was missing."""


async def ask(transport: HttpTransport, request: Request) -> HttpAnswer | Deferred | Unknown:
    """Send, and sort out everything that is not the vendor's own yes (2xx) or no (4xx)."""
    try:
        answer = await transport.request(
            request.method, request.url, headers=request.headers, body=request.body, timeout_s=request.timeout_s
        )
    except NotSent as error:
        return Deferred(reason=f"not sent: {error}", retry_after_s=PATIENCE_S)
    except LineBroke as error:
        return _in_doubt(request, f"no answer: {error}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Deferred(reason="too many requests", retry_after_s=_patience(answer.headers))
    if answer.status == HTTPStatus.REQUEST_TIMEOUT or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _sick(request, answer)
    if is_yes(answer) or answer.status >= HTTPStatus.BAD_REQUEST:
        return answer
    return Unknown(reason=f"unexpected status {answer.status}", raw=shown(answer.body))


def is_yes(answer: HttpAnswer) -> bool:
    """The vendor agreed (2xx)."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def basic(username: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617, UTF-8)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def decode_json(body: bytes, kind: type[T]) -> T:
    """A JSON body as a typed value; unknown members are ignored. Raises Misunderstood.

    Also on an escaped NUL: no column takes one, and nothing that a vendor means has one.
    """
    if b"\\u0000" in body:
        raise Misunderstood("a NUL character")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misunderstood(f"not the JSON expected: {error}") from error


def shown(body: bytes) -> str:
    """A body as text that any database column takes, cut at 64 KiB."""
    return body[:MAX_RAW_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")[:MAX_RAW_BYTES]


def _sick(request: Request, answer: HttpAnswer) -> Deferred | Unknown:
    is_believed = request.believes_unavailable and answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    if is_believed and "retry-after" in answer.headers:
        return Deferred(reason="unavailable", retry_after_s=_patience(answer.headers))
    return _in_doubt(request, f"status {answer.status}", raw=shown(answer.body), headers=answer.headers)


def _in_doubt(
    request: Request, reason: str, *, raw: str = "", headers: Mapping[str, str] | None = None
) -> Deferred | Unknown:
    """A write may have been done; a read may simply be made again."""
    if request.is_write:
        return Unknown(reason=reason, raw=raw)
    return Deferred(reason=reason, retry_after_s=_patience(headers or {}))


def _patience(headers: Mapping[str, str]) -> float:
    """Seconds from Retry-After; a date is measured against the answer's own Date, so that no clock is read."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked), LONGEST_PATIENCE_S)
    until, sent = _date(asked), _date(headers.get("date", ""))
    if until is None or sent is None:
        return PATIENCE_S
    return min(max((until - sent).total_seconds(), 0.0), LONGEST_PATIENCE_S)


def _date(text: str) -> datetime | None:
    """An HTTP date, always with its zone (RFC 9110, section 5.6.7)."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
