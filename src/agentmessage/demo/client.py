"""HTTP clients of the demo for the platform's API and the simulator's control plane."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

REQUEST_TIMEOUT_S = 45.0
"""Longer than an order may wait for its carrier."""

TOO_MANY = 429
MAX_RETRIES = 5
"""How often one request is repeated after 429: a new organization may send one message a second."""

SHOWN_LENGTH = 100
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b")
SIMULATED_ACCOUNTS = {"am_test_": "9900002"}
"""The simulator's account of sandbox keys; every other key belongs to its live account."""


class DemoFailed(Exception):
    """A step did not reach the expected state. `fix` says what to check or to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


class Exchange(Struct, frozen=True):
    """One request and its response. `data` is the response's `data` if it has an envelope, else the whole body."""

    method: str
    url: str
    sent: Mapping[str, Any] | None
    status: int
    data: Any

    def in_short(self) -> str:
        """One line for people: ids and bodies are shortened."""
        body = f" {json.dumps(self.sent)}" if self.sent is not None else ""
        asked = UUID.sub(r"…\1", f"{self.url}{body}")
        return f"{self.method} {shortened(asked)} → {self.status}"


def shortened(text: str) -> str:
    """The text, cut off if it is too long for one line."""
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"


class Client:
    """One HTTP server, with an API key if it asks for one."""

    def __init__(self, base_url: str, *, api_key: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def call(self, method: str, path: str, sent: Mapping[str, Any] | None = None, *, expect: int) -> Exchange:
        """Send a request and require a status; 429 is retried. Raises DemoFailed, also without a response."""
        status, raw, wait_s = await self._ask(method, path, sent)
        for _ in range(MAX_RETRIES):
            if status != TOO_MANY or expect == TOO_MANY:
                break
            await asyncio.sleep(wait_s)
            status, raw, wait_s = await self._ask(method, path, sent)
        if status != expect:
            raise _unexpected(method, path, status, raw, expect=expect)
        answer = _decoded(raw)
        return Exchange(method, path, sent, status, answer.get("data", answer))

    async def _ask(self, method: str, path: str, sent: Mapping[str, Any] | None) -> tuple[int, bytes, float]:
        """Status, body, and the seconds of `Retry-After`."""
        try:
            async with self._session.request(method, self.base_url + path, json=sent) as response:
                wait_s = float(response.headers.get("Retry-After", "1"))
                return response.status, await response.read(), wait_s
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise DemoFailed(
                f"{method} {path}: {self.base_url} did not respond ({reason})",
                "Is the platform still running? `agentmessage up` starts one; its logs are in DATA_DIR/logs.",
            ) from error


class DemoTarget(Struct, frozen=True):
    """The target of the demo: a platform, its simulator, and the simulator's account that the key uses."""

    api: Client
    simulator: Client
    account: str

    async def binding(self, number: str) -> Mapping[str, Any]:
        """The true binding of a number, by the simulator's oracle. Empty if the carrier does not know the number."""
        query = f"?account={self.account}"
        truth = await self.simulator.call("GET", f"/_control/oracle{query}", expect=200)
        return truth.data["bindings"].get(number, {})


def account_of(api_key: str) -> str:
    """The simulator's account of a key."""
    return next((account for prefix, account in SIMULATED_ACCOUNTS.items() if api_key.startswith(prefix)), "9900001")


class ErrorBody(Struct, frozen=True):
    """The `error` of a response."""

    code: str
    message: str
    request_id: str
    details: Mapping[str, str] = {}


def _decoded(raw: bytes) -> Mapping[str, Any]:
    """The object in a response; empty if there is none."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _unexpected(method: str, path: str, status: int, raw: bytes, *, expect: int) -> DemoFailed:
    what = f"{method} {path} returned {status} instead of {expect}"
    try:
        error = msgspec.convert(_decoded(raw).get("error"), ErrorBody)
    except msgspec.ValidationError:
        text = shortened(raw.decode(errors="replace"))
        return DemoFailed(
            f"{what}: {text}", "Is this the address of an AgentMessage of this version, and of its simulator?"
        )
    details = "".join(f"; {name} {text}" for name, text in error.details.items())
    return DemoFailed(
        f"{what}: {error.code} ({error.message}{details}), request {error.request_id}",
        f"docs/reference/errors.md#{error.code.lower()} explains {error.code} and its fix.",
    )
