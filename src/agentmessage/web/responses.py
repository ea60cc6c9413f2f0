"""Answers as bytes: the envelope, the headers, and one place where refusals become HTTP."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec
from msgspec import Struct

from agentmessage.kernel.errors import ApiError, InvalidInput, MethodNotAllowed
from agentmessage.web.route import Route
from agentmessage.web.types import Enveloped, EnvelopedWithMeta, ErrorDetail, ErrorEnvelope, Page, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = "application/json"


async def receive_chunk(receive: Receive) -> MutableMapping[str, Any]:
    """The next part of a body. Raises InvalidInput when the caller has gone: half a body is none."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise InvalidInput("the body ended early")
    return message


class HttpResponse(Struct, frozen=True):
    """A whole answer. `headers` come on top of content type, length and request id."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = JSON


_encode = msgspec.json.Encoder().encode


def success_response(route: Route, result: Any) -> HttpResponse:
    """A handler's result in the form that its route declares."""
    status = next(iter(route.answers))
    headers: Mapping[str, str] = {}
    meta: Struct | None = None
    if isinstance(result, Response):
        answer: Response[Any] = result  # pyright: ignore[reportUnknownVariableType]
        status, result, headers, meta = answer.status, answer.value, answer.headers, answer.meta
    if result is None and route.answers.get(status) is None:
        return HttpResponse(status, b"", headers)
    if isinstance(result, Page):
        page: Page[Any] = result  # pyright: ignore[reportUnknownVariableType]
        if route.cursor_header and page.next_cursor:
            headers = {**headers, "X-Next-Cursor": page.next_cursor}
        result, meta = page.items, page.meta(shows_cursor=not route.cursor_header)
    if meta is not None:
        return HttpResponse(status, _encode(EnvelopedWithMeta(success=True, data=result, meta=meta)), headers)
    return HttpResponse(status, _encode(result if route.bare else Enveloped(success=True, data=result)), headers)


def error_response(error: ApiError, request_id: str) -> HttpResponse:
    """A refusal in its envelope."""
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allow
    if error.http_status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2 asks for the challenge
        headers["WWW-Authenticate"] = "Bearer"
    detail = ErrorDetail(error.code, error.message, request_id, error.details, error.fix)
    return HttpResponse(error.http_status, _encode(ErrorEnvelope(success=False, error=detail)), headers)


def response_headers(reply: HttpResponse, request_id: str) -> list[tuple[bytes, bytes]]:
    """All headers of an answer."""
    headers = [(b"x-request-id", request_id.encode())]
    if reply.body or reply.status not in (204, 304):
        headers.append((b"content-length", str(len(reply.body)).encode()))
        headers.append((b"content-type", reply.content_type.encode()))
    for name, value in reply.headers.items():
        headers.append((name.lower().encode(), value.encode("latin-1")))
    return headers


async def send_response(send: Send, reply: HttpResponse, request_id: str, *, head_only: bool = False) -> None:
    """Put an answer on the wire."""
    headers = response_headers(reply, request_id)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else reply.body})
