"""The client library: every operation of the API from Python, sync and async from one source.

    from agentmessage.sdk import AgentMessage

    with AgentMessage(api_key="am_live_…", base_url="https://sms.example.com") as client:
        message = client.messages.send(from_="+14155550123", to="+14155550188", text="Shall we say Monday at 9?")
        reply = client.messages.wait_for_reply(message, timeout_s=300)

`aio` is written by hand and, for its resources, generated from the contract; `sync` is generated from `aio`. Both share
code that opens no socket: `_request`, `_response`, `_retries`, `exceptions`, `webhooks`. `models` and `errors` are
generated from the contract. The library needs only `httpx2` and `msgspec`. Guide: docs/guides/sdk.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentmessage.sdk._response import Http, Rows, WithMeta
from agentmessage.sdk.exceptions import (
    AgentMessageError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidResponseError,
    SignatureVerificationError,
)

if TYPE_CHECKING:
    from agentmessage.sdk import errors, models, webhooks
    from agentmessage.sdk.aio.client import AsyncAgentMessage
    from agentmessage.sdk.aio.pages import AsyncPage
    from agentmessage.sdk.sync.client import AgentMessage
    from agentmessage.sdk.sync.pages import Page

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AgentMessage",
    "AgentMessageError",
    "AsyncAgentMessage",
    "AsyncPage",
    "ClientClosedError",
    "ConfigurationError",
    "Http",
    "InvalidArgumentError",
    "InvalidResponseError",
    "Page",
    "Rows",
    "SignatureVerificationError",
    "WithMeta",
    "errors",
    "models",
    "webhooks",
]

_CLIENTS = {
    "AgentMessage": "sync.client",
    "Page": "sync.pages",
    "AsyncAgentMessage": "aio.client",
    "AsyncPage": "aio.pages",
}
_MODULES = frozenset({"errors", "models", "webhooks"})


def __getattr__(name: str) -> Any:
    """What only half of the callers use is imported when it is asked for: asyncio, or the client without it."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _CLIENTS:
        return getattr(import_module(f"{__name__}.{_CLIENTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
