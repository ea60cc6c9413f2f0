"""Forwards live events to a receiver nearby, signed as the platform's own webhooks are."""

import base64
import hmac
import secrets
import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import httpx2
import msgspec
from msgspec import Struct

from agentmessage.cli.errors import MISUSED, Failure
from agentmessage.cli.event_types import matches
from agentmessage.cli.tables import print_json_line, say
from agentmessage.sdk.configuration import user_agent
from agentmessage.sdk.models import Event
from agentmessage.sdk.webhooks import PREFIX, key_of

SECRET_BYTES = 32
PATIENCE_S = 10.0
"""As long as the platform itself waits for a receiver."""


class Forwarded(Struct, frozen=True, kw_only=True):
    """The response to a forwarded event. Without a response `status` is null, and `error` is the reason."""

    event_id: str
    type: str
    status: int | None
    time_ms: int
    error: str | None


class Receiver:
    """A URL that receives events. Redirects are not followed. Raises Failure for an invalid URL or secret."""

    def __init__(self, url: str, *, secret: str) -> None:
        self._secret = _key(secret)
        self._url = _url(url)
        self._http = httpx2.Client(follow_redirects=False, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def take(self, event: Event) -> Forwarded:
        """Forward an event once."""
        body = msgspec.json.encode(event)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": user_agent(),
            **signed(self._secret, message_id=event.id, timestamp=int(time.time()), body=body),
        }
        began = time.perf_counter()
        status, error = None, None
        try:
            status = self._http.post(self._url, content=body, headers=headers).status_code
        except httpx2.RequestError as failure:
            error = str(failure) or type(failure).__name__
        took_ms = round((time.perf_counter() - began) * 1000)
        return Forwarded(event_id=event.id, type=str(event.type), status=status, time_ms=took_ms, error=error)


def forward(events: Iterable[Event], receiver: Receiver, *, kinds: Sequence[str], as_json: bool) -> None:
    """Forward every event whose type matches a pattern, one after the other, and yield the results."""
    for event in events:
        if not matches(event.type, kinds):
            continue
        forwarded = receiver.take(event)
        if as_json:
            print_json_line(forwarded)
        else:
            answer = forwarded.error if forwarded.status is None else str(forwarded.status)
            when = time.strftime("%H:%M:%S")
            say(f"{when}  {event.type:<32}  {event.id}  → {answer} in {forwarded.time_ms} ms")
            sys.stdout.flush()


def signed(secret: bytes, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign a body, in both schemes (Standard Webhooks)."""
    moment = str(timestamp)
    own = hmac.digest(secret, b"%b\n%b" % (moment.encode(), body), "sha256").hex()
    standard = hmac.digest(secret, b"%b.%b.%b" % (message_id.encode(), moment.encode(), body), "sha256")
    return {
        "X-AmCore-Signature": f"t={moment},v1={own}",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(standard).decode()}",
    }


def new_secret() -> str:
    """A new secret for one session."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _key(secret: str) -> bytes:
    try:
        return key_of(secret)
    except ValueError as error:
        raise Failure(f"{error}; omit it to generate one", status=MISUSED) from error


def _url(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise Failure(f"{text} is not a URL: {error}", status=MISUSED) from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise Failure(f"{text} is not a URL such as http://localhost:3000/hook", status=MISUSED)
    return url
