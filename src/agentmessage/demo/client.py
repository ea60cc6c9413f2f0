"""What the demo speaks: the platform's API and the simulator's control plane, over HTTP like anybody else."""

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
MOST_WAITS = 5
"""How often one request waits when it is asked to: organizations begin with one text a second."""

SHOWN_LENGTH = 100
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b")
SIMULATED_ACCOUNTS = {"am_test_": "9900002"}
"""The simulator's account of sandbox keys; every other key belongs to its live account."""


class StoryBroke(Exception):
    """A step did not come out as it must. `way_out` says what to look at or to do."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(what)
        self.way_out = way_out


class Exchange(Struct, frozen=True):
    """One request and its answer. `data` is the answer's own `data` where it is enveloped, else the whole of it."""

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
    """The text, cut off where it is too long to be read at a glance."""
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"


class Client:
    """One HTTP server, with an API key if it asks for one."""

    def __init__(self, base_url: str, *, api_key: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()

    async def call(self, method: str, path: str, sent: Mapping[str, Any] | None = None, *, expect: int) -> Exchange:
        """Ask, and require the status; a wish for patience is obeyed. Raises StoryBroke, also when nobody answers."""
        status, raw, wait_s = await self._ask(method, path, sent)
        for _ in range(MOST_WAITS):
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
            raise StoryBroke(
                f"{method} {path}: {self.base_url} did not answer ({reason})",
                "Is the platform still running? `agentmessage up` starts one; its logs are in DATA_DIR/logs.",
            ) from error


class Stage(Struct, frozen=True):
    """Where the story is told: the platform, the world behind it, and the account of that world that the key uses."""

    api: Client
    simulator: Client
    account: str

    async def binding(self, number: str) -> Mapping[str, Any]:
        """What is true of a number at the carrier, by the simulator's oracle. Empty: the carrier does not know it."""
        query = f"?account={self.account}"
        truth = await self.simulator.call("GET", f"/_control/oracle{query}", expect=200)
        return truth.data["bindings"].get(number, {})


def account_of(api_key: str) -> str:
    """The simulator's account that serves a key."""
    return next((account for prefix, account in SIMULATED_ACCOUNTS.items() if api_key.startswith(prefix)), "9900001")


class Refusal(Struct, frozen=True):
    """The `error` of an answer."""

    code: str
    message: str
    request_id: str
    details: Mapping[str, str] = {}


def _decoded(raw: bytes) -> Mapping[str, Any]:
    """The answer's object; empty when it is none."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _unexpected(method: str, path: str, status: int, raw: bytes, *, expect: int) -> StoryBroke:
    what = f"{method} {path} answered {status} instead of {expect}"
    try:
        refusal = msgspec.convert(_decoded(raw).get("error"), Refusal)
    except msgspec.ValidationError:
        text = shortened(raw.decode(errors="replace"))
        return StoryBroke(f"{what}: {text}", "Does an AgentMessage of this version listen there, and its simulator?")
    details = "".join(f"; {name} {text}" for name, text in refusal.details.items())
    return StoryBroke(
        f"{what}: {refusal.code} ({refusal.message}{details}), request {refusal.request_id}",
        f"docs/reference/errors.md#{refusal.code.lower()} says what {refusal.code} means and how to get on.",
    )
