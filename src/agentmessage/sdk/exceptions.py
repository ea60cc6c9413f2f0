"""The exceptions of the client library. An error response of the platform becomes the class of its code.

AgentMessageError
├── ConfigurationError          no API key, or a base URL that is not a URL
├── InvalidArgumentError        a value that a request cannot carry; also a ValueError
├── ClientClosedError           the client was used after `close()`
├── APIConnectionError          no response; `may_have_happened` is true if the request may have arrived
│   └── APITimeoutError
├── InvalidResponseError        a success response that does not have the shape of the contract
├── SignatureVerificationError  a webhook with a wrong or expired signature
└── APIError                    an error response; one subclass for each code, in `agentmessage.sdk.errors`
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from typing_extensions import override

from agentmessage.sdk._error_hints import OTHER_FIXES
from agentmessage.sdk.advice import in_client_words

REPEAT = "Repeat it with the same idempotency_key."
"""The fix for a POST whose outcome is unknown."""


class AgentMessageError(Exception):
    """The base of every exception of this library."""

    fix: str = ""


class ConfigurationError(AgentMessageError):
    """The arguments and the environment do not configure a client."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.fix = fix


class InvalidArgumentError(AgentMessageError, ValueError):
    """An argument that cannot be sent or used. No request was sent."""

    fix = "Give a value of the kind that the operation names: whole Unicode text, and no empty id."


class ClientClosedError(AgentMessageError):
    """The client was closed before the request."""

    fix = "Make the request inside the client's `with` block, or before close()."

    def __init__(self) -> None:
        super().__init__(f"The client is closed. {self.fix}")


class APIConnectionError(AgentMessageError):
    """No response arrived after all retries."""

    fix = "Check the base URL and that the platform runs."

    def __init__(self, message: str, *, may_have_happened: bool, is_post: bool = False) -> None:
        if is_post:
            self.fix = f"{self.fix} {REPEAT}"
        super().__init__(f"{message} {self.fix}")
        self.may_have_happened = may_have_happened


class APITimeoutError(APIConnectionError):
    """No response arrived within the timeout."""

    fix = "Give a longer timeout_s."


class InvalidResponseError(AgentMessageError):
    """A success response does not have the shape of the contract."""

    fix = "Use a client library of the platform's release, and check that the base URL is the platform's."

    def __init__(self, message: str, *, request_id: str) -> None:
        super().__init__(f"{message} [request {request_id or 'unknown'}]")
        self.request_id = request_id


class SignatureVerificationError(AgentMessageError):
    """The webhook has no valid signature, or its timestamp is outside the tolerance."""

    fix = "Answer 400 and do nothing; if it should be valid, check the secret and verify the raw, unparsed body."


class APIError(AgentMessageError):
    """An error response. `details` names the invalid fields; `fix` is what to do."""

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
        details = "".join(f" {name}: {text}." for name, text in self.details.items())
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.code} ({self.status}): {self.message}.{details}{fix} [request {self.request_id or 'unknown'}]"


class _Detail(Struct, frozen=True):
    code: str
    message: str = ""
    request_id: str = ""
    details: dict[str, Any] | None = None
    fix: str | None = None


class _Failure(Struct, frozen=True):
    error: _Detail


_FAILURE = msgspec.json.Decoder(_Failure)


def error_of(
    kinds: Mapping[str, type[APIError]],
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    retry_after_s: float | None,
) -> APIError:
    """The exception of an error response. A body that is not the platform's becomes an APIError `HTTP_<status>`."""
    try:
        error = _FAILURE.decode(body).error
    except msgspec.DecodeError:
        error = _Detail(code=f"HTTP_{status}", message="the response is not from the platform")
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
