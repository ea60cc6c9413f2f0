"""Refusals: an error declares its code, its status and the way out; it never computes.

    ApiError
    ├── ValidationFailed      422 (400 for a malformed path id)
    ├── InvalidInput          400
    │   └── MalformedRequest
    ├── Unauthorized          401
    ├── InsufficientCredit    402 (in billing)
    ├── Forbidden             403
    │   └── IdempotencyKeyOfAnother
    ├── NotFound              404
    ├── MethodNotAllowed      405
    ├── IdempotencyKeyReused  409
    ├── PayloadTooLarge       413
    ├── UnsupportedMediaType  415
    ├── RateLimited           429
    ├── Internal              500
    └── Unavailable           503

Rooms declare their own beside these, in their `errors.py`. The edge (`web/asgi.py`) is the only place that maps them.
"""

from collections.abc import Mapping
from itertools import islice
from typing import ClassVar

MAX_DETAILS = 50
"""How many faults `details` names; `details.more` says how many others there are."""


class ApiError(Exception):
    """A refusal that the caller may see: stable code, HTTP status, short words and what to do next."""

    code: ClassVar[str]
    status: ClassVar[int]
    fix: ClassVar[str]
    message: str = ""

    def __init__(
        self,
        message: str = "",
        *,
        details: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
        more: int = 0,
    ) -> None:
        self.message = message or self.message
        self.details = bounded(details, more) if details else None
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    @property
    def http_status(self) -> int:
        """The status of this very answer; nearly always the class's own."""
        return self.status


def bounded(details: Mapping[str, str], more: int = 0) -> dict[str, str]:
    """The first details of many, and under `more` how many others there are, with `more` that nobody has named."""
    shown = dict(islice(details.items(), MAX_DETAILS))
    more += len(details) - len(shown)
    return {**shown, "more": str(more)} if more else shown


class ValidationFailed(ApiError):
    """The request has the wrong shape; `details` names every faulty field, of very many the first 50."""

    code = "VALIDATION_FAILED"
    status = 422
    fix = "Correct every field named in details, then send the request again."
    message = "validation failed"

    def __init__(self, details: Mapping[str, str], *, more: int = 0) -> None:
        super().__init__(details=details, more=more)
        # Kept apart, so that faults which were found at different places can be counted together.
        self.faults = details
        self.more = more


class MalformedPathId(ValidationFailed):
    """The id in the path is not a UUID."""

    status = 400
    fix = "Use the resource's id (a UUID) as it was returned, not its number or its name."


class InvalidInput(ApiError):
    """The body is not JSON, or holds something that this operation never takes."""

    code = "INVALID_INPUT"
    status = 400
    fix = "Send well-formed JSON with only the fields that the operation documents."
    message = "invalid input"


class MalformedRequest(InvalidInput):
    """The HTTP request itself is malformed, or a proxy could read it differently; the connection is closed."""

    fix = "Send the request with one Host, one length and no upgrade, as usual HTTP clients do."
    message = "malformed HTTP request"


class Unauthorized(ApiError):
    """No key, a wrong scheme, an unknown or a revoked key: all the same to the caller."""

    code = "UNAUTHORIZED"
    status = 401
    fix = "Send 'Authorization: Bearer am_live_…' (or am_test_…) with a key that has not been revoked or rotated."
    message = "authentication failed"


class Forbidden(ApiError):
    """The key does not carry the scope that the operation requires."""

    code = "FORBIDDEN"
    status = 403
    fix = "Use a key with the scope that the operation documents, or create one."
    message = "missing required scope"


class IdempotencyKeyOfAnother(Forbidden):
    """The same request came with the same Idempotency-Key from another API key, which is not told its answer."""

    fix = "Use an Idempotency-Key of your own; an answer is repeated only to the API key that caused it."
    message = "idempotency key was used by another API key"


class NotFound(ApiError):
    """No such thing, or another organization's: deliberately the same words."""

    code = "NOT_FOUND"
    status = 404
    fix = "Check the id and that the key belongs to the organization that owns the resource."
    message = "not found"


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method; `Allow` says which."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    fix = "Use one of the methods in the Allow header."
    message = "method not allowed"

    def __init__(self, allow: str) -> None:
        super().__init__()
        self.allow = allow


class IdempotencyKeyReused(ApiError):
    """The same Idempotency-Key came with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    fix = "Use a fresh Idempotency-Key for every new request; repeat a key only with the very same body."
    message = "idempotency key was used for another request"


class PayloadTooLarge(ApiError):
    """The body is larger than the operation takes."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    fix = "Send at most 1 MiB, or split the request."
    message = "request body is too large"


class UnsupportedMediaType(ApiError):
    """The body is not declared as JSON, or it is compressed."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    fix = "Send 'Content-Type: application/json', and no Content-Encoding."
    message = "content type must be application/json"


class RateLimited(ApiError):
    """Too many requests for this organization; `Retry-After` says how long to wait."""

    code = "RATE_LIMITED"
    status = 429
    fix = "Wait the seconds of Retry-After, then send the request again."
    message = "rate limited"


class Internal(ApiError):
    """A fault of ours; the log has it under the request id."""

    code = "INTERNAL"
    status = 500
    fix = "Try again; if it stays, tell the operator the request id."
    message = "internal error"


class Unavailable(ApiError):
    """The database is away or the process is draining; nothing was changed that was not answered."""

    code = "UNAVAILABLE"
    status = 503
    fix = "Try again after the seconds of Retry-After; use an Idempotency-Key to make it safe."
    message = "temporarily unavailable"
