"""kill -9 of the simulator in a stream of messages: it keeps what it has accepted, once."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
from messaging_customer import HANDSET, SENDER

from agentmessage.simulator.smsc import PASSWORD
from agentmessage.smpp import receipts
from agentmessage.smpp.client import Bind, ClientSession, connect
from agentmessage.smpp.errors import SessionClosed
from agentmessage.smpp.pdu import Inbound, SubmitSm

KILLS = 4
MESSAGES_EACH = 400


class Process:
    """A simulator in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        options = ["--port", "0", "--smpp-port", "0", "--profile", "instant", "--data-dir", str(data_dir)]
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-m", "agentmessage", "simulate", *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        self.url = ready.split(" ")[3]
        self.smpp_port = int(ready.split("SMPP on port ")[1].rstrip(")\n"))

    async def bind(self, received: list[str]) -> ClientSession:
        def on_deliver(pdu: Inbound) -> int:
            read = receipts.read(pdu)
            assert read is not None
            received.append(read.message_id)
            return 0

        bind = Bind(host="127.0.0.1", port=self.smpp_port, system_id="live", password=PASSWORD)
        return await connect(bind, on_deliver)

    async def control(self, path: str, body: object = None) -> Any:
        method = "GET" if body is None else "POST"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, f"{self.url}/_control/{path}", json=body) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


async def _submit_until_killed(process: Process, session: ClientSession, first: int) -> dict[str, str]:
    """Text by message id, of the messages that were accepted."""
    answered: dict[str, str] = {}
    enough = asyncio.Event()

    async def submit(index: int) -> None:
        text = f"text {index}"
        pdu = SubmitSm(source=SENDER[1:], destination=HANDSET[1:], registered_delivery=1, short_message=text.encode())
        try:
            result = await session.submit(pdu)
        except SessionClosed:
            return
        if result.is_accepted:
            answered[result.message_id] = text
        if len(answered) >= MESSAGES_EACH // 2:
            enough.set()

    submitting = [asyncio.create_task(submit(first + index)) for index in range(MESSAGES_EACH)]
    await asyncio.wait_for(enough.wait(), 10)
    process.kill()
    await asyncio.gather(*submitting)
    return answered


async def test_a_killed_simulator_keeps_every_message_that_it_has_accepted(tmp_path: Path) -> None:
    answered: dict[str, str] = {}
    received: list[str] = []
    process = Process(tmp_path)
    await process.control("campaigns/CTEST01", {"create": True})
    await process.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})
    for number in range(KILLS):
        session = await process.bind(received)
        answered |= await _submit_until_killed(process, session, number * MESSAGES_EACH)
        await session.closed
        process = Process(tmp_path)

    session = await process.bind(received)
    async with asyncio.timeout(20):
        while (seen := await process.control("messages?limit=10000"))["counts"]["open"]:
            pass
    session.abort()
    process.kill()

    known = {text["ids"][0]: text["text"] for text in seen["messages"]}
    assert len(answered) >= KILLS * MESSAGES_EACH // 2
    assert answered.items() <= known.items()
    assert seen["counts"]["repeated"] == 0
    assert set(received) == set(known)
