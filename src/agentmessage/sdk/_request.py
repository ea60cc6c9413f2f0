"""A request before it is sent: method, path, query and body, as pure values."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Struct

from agentmessage.sdk.exceptions import InvalidArgumentError

Id = str | UUID
"""The id of a resource, as it was printed."""

IDEMPOTENCY_KEY = "Idempotency-Key"
NOTHING: Mapping[str, Any] = {}


class Request(Struct, frozen=True):
    """One request. `body` None: there is none; values that are UNSET are left out of query and body.

    `timeout_s`: how long this one may take, when it is meant to take long.
    """

    method: str
    path: str
    query: Mapping[str, Any] = NOTHING
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    headers: Mapping[str, str] = NOTHING
    timeout_s: float | None = None

    @property
    def is_repeatable(self) -> bool:
        """Sending it twice does what sending it once does: it reads, or the platform knows it by its key."""
        return self.method == "GET" or self.idempotency_key is not None

    def keyed(self) -> "Request":
        """The same request, a POST with a key of its own if it has none."""
        if self.method != "POST" or self.idempotency_key is not None:
            return self
        return msgspec.structs.replace(self, idempotency_key=str(uuid4()))

    def attempt_timeout_s(self, usual_s: float) -> float:
        """How long one attempt may take: a request that asks the platform to wait gets that time on top."""
        asked = self.query.get("timeout_s")
        return (self.timeout_s or usual_s) + (asked if isinstance(asked, int) else 0)

    def after(self, cursor: str) -> "Request":
        """The request for the page behind a cursor."""
        query = {name: value for name, value in self.query.items() if name != "offset"}
        return msgspec.structs.replace(self, query={**query, "cursor": cursor})

    def parameters(self) -> dict[str, str]:
        """The query as it is sent. Raises InvalidArgumentError."""
        given = {name: value for name, value in self.query.items() if value is not UNSET and value is not None}
        return {name: _unicode(_word(value), name) for name, value in given.items()}

    def content(self) -> bytes | None:
        """The body as it is sent. Raises InvalidArgumentError for values that JSON does not know."""
        if self.body is None:
            return None
        try:
            return msgspec.json.encode({name: value for name, value in self.body.items() if value is not UNSET})
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
            raise InvalidArgumentError(f"The arguments cannot be written as JSON: {error}.") from error

    def all_headers(self) -> dict[str, str]:
        """What it is sent with besides the client's own headers. Raises InvalidArgumentError."""
        own = {"Content-Type": "application/json"} if self.body is not None else {}
        keyed = {IDEMPOTENCY_KEY: self.idempotency_key} if self.idempotency_key is not None else {}
        for name, text in {**keyed, **self.headers}.items():
            if not (text.isascii() and text.isprintable()):
                raise InvalidArgumentError(f"{name} is not of printable ASCII characters.")
        return {"Accept": "application/json", **own, **keyed, **self.headers}


def segment(value: Id) -> str:
    """A value as one segment of a path. Raises InvalidArgumentError, also for an empty value."""
    text = _unicode(str(value), "id")
    if not text:
        raise InvalidArgumentError("An id cannot be empty.")
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def given(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A body that may be left out: None when nothing in it is set."""
    return body if any(value is not UNSET for value in body.values()) else None


def _unicode(text: str, name: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{name} is no Unicode text: {error}.") from error
    return text


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (list, tuple)):
        return ",".join(_word(item) for item in cast("list[Any]", value))
    return str(value)
