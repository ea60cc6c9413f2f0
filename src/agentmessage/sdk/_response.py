"""A response: status, headers and bytes become typed values or the exception of an error response."""

import functools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from agentmessage.sdk.errors import BY_CODE
from agentmessage.sdk.exceptions import InvalidResponseError, error_of

T = TypeVar("T")
M = TypeVar("M")

OK = range(200, 300)


class Http(Struct, frozen=True, kw_only=True):
    """What came with a result. `is_replay`: the response of an earlier request with the same Idempotency-Key.

    `location` is the path of the resource that shows how it goes on, as of an order that was answered with 202.
    """

    status: int = 0
    request_id: str = ""
    is_replay: bool = False
    served_at: datetime | None = None
    """When the platform answered, by its own clock, in whole seconds."""
    location: str | None = None


UNKNOWN = Http()


class Model(Struct, frozen=True, kw_only=True, dict=True):
    """A value of the platform. Fields that a newer platform adds are ignored."""

    @property
    def http(self) -> Http:
        """What came with it; empty for what is a part of another result."""
        return getattr(self, "_http", UNKNOWN)


class Rows(list[T]):
    """A list that comes whole."""

    def __init__(self, rows: Iterable[T], http: Http = UNKNOWN) -> None:
        super().__init__(rows)
        self.http = http


class Response(Struct, frozen=True):
    """Status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of `Retry-After`; None without one. A date counts from now (RFC 9110, 10.2.3)."""
        value = self.headers.get("retry-after")
        if value is None:
            return None
        try:
            return max(0.0, float(value))
        except ValueError:
            moment = _date(value)
            return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())

    @property
    def http(self) -> Http:
        """What comes with the result."""
        return Http(
            status=self.status,
            request_id=self.headers.get("x-request-id", ""),
            is_replay=self.headers.get("idempotent-replayed") == "true",
            served_at=_date(self.headers.get("date", "")),
            location=self.headers.get("location"),
        )

    def require_success(self) -> None:
        """Raise the APIError of an error response."""
        if self.status not in OK:
            raise error_of(
                BY_CODE, status=self.status, headers=self.headers, body=self.body, retry_after_s=self.retry_after_s
            )


class Wrapped(Struct, Generic[T], frozen=True):
    """A success in its envelope."""

    data: T


class Meta(Model, frozen=True):
    """What a list says about itself. With a cursor, `total` and `offset` are 0."""

    total: int = 0
    limit: int = 0
    offset: int = 0
    next_cursor: str | None = None
    last_event_at: datetime | None = None


class Listed(Struct, Generic[T], frozen=True):
    """A page of a list in its envelope."""

    data: list[T]
    meta: Meta = Meta()


class WithMeta(Model, Generic[T, M], frozen=True):
    """A result that is no list, and what is said about it."""

    data: T
    meta: M


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def one(kind: type[T], response: Response) -> T:
    """`data` of an enveloped success. Raises APIError and InvalidResponseError."""
    return signed(_read(Wrapped[kind], response).data, response)


def perhaps(kind: type[T], response: Response) -> T | None:
    """`data` of an enveloped success that may be null. Raises APIError and InvalidResponseError."""
    return signed(_read(Wrapped[kind | None], response).data, response)


def with_meta(kind: type[T], meta: type[M], response: Response) -> WithMeta[T, M]:
    """An enveloped success with what is said about it. Raises APIError and InvalidResponseError."""
    return signed(_read(WithMeta[kind, meta], response), response)


def bare(kind: type[T], response: Response) -> T:
    """A success that is printed without the envelope. Raises APIError and InvalidResponseError."""
    return signed(_read(kind, response), response)


def rows(kind: type[T], response: Response) -> Rows[T]:
    """`data` of a list that comes whole. Raises APIError and InvalidResponseError."""
    return Rows(_read(Wrapped[list[kind]], response).data, response.http)


def listed(kind: type[T], response: Response) -> tuple[list[T], Meta]:
    """Rows and meta of a page; the next cursor is in one or in the header. Raises APIError and InvalidResponseError."""
    page = _read(Listed[kind], response)
    cursor = page.meta.next_cursor or response.headers.get("x-next-cursor")
    return page.data, msgspec.structs.replace(page.meta, next_cursor=cursor)


def nothing(response: Response) -> None:
    """A success that says nothing. Raises APIError."""
    response.require_success()


def signed(value: T, response: Response) -> T:
    """The value, which now knows what came with it."""
    if isinstance(value, Model):
        msgspec.structs.force_setattr(value, "_http", response.http)
    return value


def _read(kind: Any, response: Response) -> Any:
    response.require_success()
    try:
        return _decoder(kind).decode(response.body)
    except msgspec.DecodeError as error:
        message = f"The response ({response.status}) does not match the contract: {error}."
        raise InvalidResponseError(message, request_id=response.headers.get("x-request-id", "")) from error


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
