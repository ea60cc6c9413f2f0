"""What goes into a world and what comes out of it, without a socket in sight."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct


class Request(Struct, frozen=True):
    """One HTTP request. `query` is the raw string after the question mark; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Breakage(StrEnum):
    """How a line breaks instead of carrying the reply: whoever interprets a Reply must honor it."""

    HANG_BEFORE = "hang_before"  # nothing was done and nothing is answered
    HANG_AFTER = "hang_after"  # the work was done and nothing is answered
    RESET = "reset"  # the work was done and the answer is cut off in the middle


class Reply(Struct, frozen=True):
    """One HTTP answer; with `fault` set it is never delivered, with `delay_s` it is delivered late."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    delay_s: float = 0.0
    fault: Breakage | None = None


class OutgoingCallback(Struct, frozen=True):
    """One HTTP request that the simulated vendor makes to its customer."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    due_at: datetime


_encoder = msgspec.json.Encoder()


def json_reply(status: int, value: object, *, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(status, {"content-type": "application/json", **(headers or {})}, _encoder.encode(value))


def xml_reply(status: int, document: str, *, headers: Mapping[str, str] | None = None) -> Reply:
    """An XML answer; `document` comes without its declaration."""
    text = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{document}'
    return Reply(status, {"content-type": "application/xml", **(headers or {})}, text.encode())
