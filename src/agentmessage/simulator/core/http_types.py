"""HTTP requests and responses as values: what goes into a world and what comes out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct


class HttpRequest(Struct, frozen=True):
    """One HTTP request. `query` is the raw string after the question mark; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Breakage(StrEnum):
    """How the connection breaks instead of carrying the response. The server must act on it."""

    HANG_BEFORE = "hang_before"  # nothing was done, and there is no response
    HANG_AFTER = "hang_after"  # the request was handled, and there is no response
    RESET = "reset"  # the request was handled, and the connection breaks in the middle of the response


class HttpResponse(Struct, frozen=True):
    """One HTTP response; with `breakage` it is not delivered whole, with `delay_s` it is delivered late."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    delay_s: float = 0.0
    breakage: Breakage | None = None


class OutgoingCallback(Struct, frozen=True):
    """One HTTP request that the simulated vendor makes to its customer."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    due_at: datetime


_encoder = msgspec.json.Encoder()


def json_response(status: int, value: object, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A JSON response."""
    return HttpResponse(status, {"content-type": "application/json", **(headers or {})}, _encoder.encode(value))


def xml_response(status: int, document: str, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An XML response; `document` has no declaration."""
    text = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{document}'
    return HttpResponse(status, {"content-type": "application/xml", **(headers or {})}, text.encode())
