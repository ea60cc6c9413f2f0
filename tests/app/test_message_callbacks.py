"""Callbacks of texts at our door: answered once they are kept, and not before."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from agentmessage.app.callbacks import Callbacks
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.carriers.messaging import Heard, InboundHeard, ReceiptHeard
from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import NotFound, PayloadTooLarge
from agentmessage.settings import Settings
from agentmessage.web.responses import HttpResponse
from tests.conftest import ENCRYPTION_KEY

SETTINGS = Settings(encryption_key=ENCRYPTION_KEY, callback_password="hook")
AUTHENTIC = f"Basic {base64.b64encode(b'agentmessage:hook').decode()}"


def event(kind: str = "message-delivered", **message: Any) -> dict[str, Any]:
    return {
        "time": datetime(2026, 7, 1, tzinfo=UTC).isoformat(),
        "type": kind,
        "to": "+14155550100",
        "description": "words",
        "message": {"id": "bw-1", "from": "+12125550112", "text": "hi", **message},
    }


class Kept(NamedTuple):
    source: str
    outcome: str


class Door:
    """The callbacks' door, with an ear that remembers, or that has no paper."""

    def __init__(self, cells: Cells) -> None:
        self.heard: list[tuple[str, Sequence[Heard]]] = []
        self.trouble: Exception | None = None
        self._cells = cells
        self._callbacks = Callbacks(
            cells,
            carrier_sets(SETTINGS),
            public_url="http://us.test",
            ring=lambda *_: None,
            hear=self._hear,
            registry=CollectorRegistry(),
        )

    async def _hear(self, account: str, heard: Sequence[Heard]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.heard.append((account, heard))

    async def post(self, body: Any, *, path: str = "messages/live", shown: str | None = AUTHENTIC) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [] if shown is None else [(b"authorization", shown.encode())]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        scope = {"method": "POST", "path": f"/callbacks/{path}", "headers": headers}
        return await self._callbacks.receive(scope, receive)

    async def kept(self) -> list[Kept]:
        """The callbacks that are kept raw."""
        directory = await self._cells.directory()
        return list(await directory.all(Kept, "SELECT source, outcome FROM carrier_callbacks ORDER BY received_at"))


@pytest.fixture
def door(cells: Cells) -> Door:
    return Door(cells)


@pytest.mark.parametrize("account", ["live", "sandbox"])
async def test_what_is_told_of_texts_is_heard_and_then_answered(door: Door, account: str) -> None:
    reply = await door.post([event(), event("message-received", id="in-1")], path=f"messages/{account}")

    ((heard_by, heard),) = door.heard
    assert (reply.status, heard_by) == (204, account)
    assert [type(one) for one in heard] == [ReceiptHeard, InboundHeard]


async def test_what_could_not_be_kept_is_not_acknowledged(door: Door) -> None:
    door.trouble = asyncpg.CannotConnectNowError("away")

    with pytest.raises(asyncpg.CannotConnectNowError):
        await door.post([event()])


@pytest.mark.parametrize("shown", [None, "Basic bm86", "Bearer hook"])
async def test_a_stranger_is_challenged_and_not_heard(door: Door, shown: str | None) -> None:
    reply = await door.post([event()], shown=shown)

    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, 'Basic realm="agentmessage"')
    assert door.heard == []


async def test_an_odd_element_is_kept_raw_and_the_others_are_heard(door: Door) -> None:
    reply = await door.post([event(), 5])

    assert reply.status == 202
    assert len(door.heard) == 1
    assert await door.kept() == [("messages", "unreadable")]


async def test_what_is_no_array_is_kept_raw(door: Door) -> None:
    assert (await door.post(b"<html>")).status == 202
    assert door.heard == []
    assert await door.kept() == [("messages", "unreadable")]


async def test_what_the_rooms_keep_is_not_kept_twice(door: Door) -> None:
    await door.post([event()])

    assert await door.kept() == []


@pytest.mark.parametrize("path", ["messages/nobody", "letters/live", "messages", "messages/live/more"])
async def test_there_is_no_other_door(door: Door, path: str) -> None:
    with pytest.raises(NotFound):
        await door.post([event()], path=path)


async def test_a_callback_is_bounded(door: Door) -> None:
    with pytest.raises(PayloadTooLarge):
        await door.post(b"[" + b" " * 1024 * 1024 + b"]")


class Endless:
    """A body without an end, in pieces of 16 KiB; counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.taken += 16 * 1024
        assert self.taken < 256 * 1024, "nobody reads so much of a stranger's body"
        return {"type": "http.request", "body": b"[1.5," * 3276, "more_body": True}


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("messages/live", (b"authorization", b"Basic bm86")),
        ("carrier/live", (b"authorization", b"Basic bm86")),
        ("registry/live", (b"x-registry-signature", b"AAAA")),
        ("registry/live", (b"x-registry-signature", base64.b64encode(b"x" * 20))),
        ("registry/live", (b"content-length", b"9" * 5000)),
    ],
)
async def test_of_a_strangers_body_little_is_read_and_nothing_is_made(
    door: Door, path: str, header: tuple[bytes, bytes]
) -> None:
    body = Endless()

    reply = await door._callbacks.receive(
        {"method": "POST", "path": f"/callbacks/{path}", "headers": [header]}, body.receive
    )

    assert reply.status == 401
    assert await door.kept() == []
