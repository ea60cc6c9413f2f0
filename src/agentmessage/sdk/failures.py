"""What the client library raises, and how a refusal of the platform becomes one class per code.

AgentMessageError
├── Misconfigured           no key, or an address that cannot be one
├── UnusableArgument        a value that no request can carry; a ValueError, too
├── ClientClosed            used after `close()`
├── APIConnectionError      nobody answered; `may_have_happened` says whether the request can have arrived
│   └── APITimeoutError
├── UnreadableAnswer        a success that is not what the contract says
├── InvalidSignature        a webhook that is not from the platform, or too old
└── APIError                a refusal; one subclass for each code, in `agentmessage.sdk.errors`
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from typing_extensions import override

from agentmessage.sdk.advice import in_client_words
from agentmessage.sdk.fixes import OTHER_FIXES

REPEAT = "Repeat it with the same idempotency_key."
"""What to do about a POST of which nobody knows whether it happened."""


class AgentMessageError(Exception):
    """Whatever goes wrong in this library."""

    fix: str = ""


class Misconfigured(AgentMessageError):
    """The client cannot be made from what it was given and what the environment says."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.fix = fix


class UnusableArgument(AgentMessageError, ValueError):
    """A value that no request can carry or nothing can be checked with; nothing was sent."""

    fix = "Give a value of the kind that the operation names: whole Unicode text, and no empty id."


class ClientClosed(AgentMessageError):
    """The client was closed before the request."""

    fix = "Make the request inside the client's `with` block, or before close()."

    def __init__(self) -> None:
        super().__init__(f"The client is closed. {self.fix}")


class APIConnectionError(AgentMessageError):
    """No answer came, however often it was tried."""

    fix = "Check the base URL and that the platform runs."

    def __init__(self, message: str, *, may_have_happened: bool, is_post: bool = False) -> None:
        if is_post:
            self.fix = f"{self.fix} {REPEAT}"
        super().__init__(f"{message} {self.fix}")
        self.may_have_happened = may_have_happened


class APITimeoutError(APIConnectionError):
    """No answer came in time."""

    fix = "Give a longer timeout_s."


class UnreadableAnswer(AgentMessageError):
    """The answer is a success, but not of the shape that the contract promises."""

    fix = "Use a client library of the platform's release, and check that the base URL is the platform's."

    def __init__(self, message: str, *, request_id: str) -> None:
        super().__init__(f"{message} [request {request_id or 'unknown'}]")
        self.request_id = request_id


class InvalidSignature(AgentMessageError):
    """The request is not proven to come from the platform, or its time is more than the tolerance away."""

    fix = "Answer 400 and do nothing; if it should be valid, check the secret and verify the raw, unparsed body."


class APIError(AgentMessageError):
    """The platform refused the request. `details` names faulty fields or facts; `fix` says what to do."""

    code: str = ""
    default_fix: ClassVar[str] = ""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        request_id: str = "",
        retry_after_s: float | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.fix = in_client_words(fix) or OTHER_FIXES.get((code, status, message), self.default_fix)

    @override
    def __str__(self) -> str:
        told = "".join(f" {name}: {text}." for name, text in self.details.items())
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.code} ({self.status}): {self.message}.{told}{fix} [request {self.request_id or 'unknown'}]"


class _Detail(Struct, frozen=True):
    code: str
    message: str = ""
    request_id: str = ""
    details: dict[str, Any] | None = None
    fix: str | None = None


class _Failure(Struct, frozen=True):
    error: _Detail


_FAILURE = msgspec.json.Decoder(_Failure)


def refusal(
    kinds: Mapping[str, type[APIError]],
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    retry_after_s: float | None,
) -> APIError:
    """The exception of an answer that is no success; what no platform wrote becomes an APIError `HTTP_<status>`."""
    try:
        error = _FAILURE.decode(body).error
    except msgspec.DecodeError:
        error = _Detail(code=f"HTTP_{status}", message="the answer is not the platform's, but of something before it")
    details = {name: text if isinstance(text, str) else str(text) for name, text in (error.details or {}).items()}
    return kinds.get(error.code, APIError)(
        status,
        error.code,
        error.message,
        details=details,
        request_id=error.request_id or headers.get("x-request-id", ""),
        retry_after_s=retry_after_s,
        fix=error.fix or "",
    )
