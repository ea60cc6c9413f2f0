"""Kannel 1.4, written in C and in use since 2001: bound to our server, and its own carrier under our client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from agentmessage.smpp.client import Bind, ClientSession, connect
from agentmessage.smpp.errors import NotBound
from agentmessage.smpp.pdu import DataSm, Inbound, Status, SubmitSm, Tag, Tlv, text_of
from agentmessage.smpp.server import Reply, ServerSession
from agentmessage.smpp.settings import Mode, Terms
from tests.smpp.interop.kannel import BEARERBOX, DRIVE_SMPP, SMSBOX, Kannel, free_ports, kannel_on
from tests.smpp.interop.texts import UDH_PRESENT, WORDS, Carrier, in_parts, incoming, joined, outgoing
from tests.smpp.lines import PATIENCE_S, Submissions, bind_on, server_on, until

WITHOUT = "Kannel is not installed (Debian: apt-get install kannel kannel-extras)"
needs_kannel = pytest.mark.skipif(BEARERBOX is None or SMSBOX is None, reason=WITHOUT)
needs_its_carrier = pytest.mark.skipif(not DRIVE_SMPP.exists(), reason=WITHOUT)

DELIVERED, HANDED_OVER = "1", "8"
"""The types of receipt that Kannel tells: delivered to the phone, and accepted by the carrier."""


class Bound(NamedTuple):
    kannel: Kannel
    carrier: Carrier
    session: ServerSession


@asynccontextmanager
async def bound(folder: Path, carrier: Carrier | None = None) -> AsyncIterator[Bound]:
    """Kannel, bound to a carrier of ours."""
    submissions, carrier = Submissions(), carrier or Carrier()
    async with (
        server_on(carrier.on_submit, submissions=submissions) as server,
        kannel_on(server.port, folder) as kannel,
    ):
        async with asyncio.timeout(PATIENCE_S):
            session = await submissions.sessions.get()
        yield Bound(kannel, carrier, session)


@needs_kannel
async def test_it_sends_a_long_text_and_hears_that_it_was_delivered(tmp_path: Path) -> None:
    async with bound(tmp_path) as (kannel, carrier, _), asyncio.timeout(PATIENCE_S):
        answer = await kannel.send(WORDS.decode())
        receipts = [await kannel.receipts.get()]
        while receipts[-1]["type"] != DELIVERED:
            receipts.append(await kannel.receipts.get())

    assert answer.startswith("0: Accepted")
    assert len(carrier.parts) == 3
    assert joined(carrier.parts) == WORDS
    assert [(pdu.source, pdu.destination) for pdu in carrier.taken] == [("12025550100", "12025550199")] * 3
    assert "stat:DELIVRD" in receipts[-1]["reply"]
    assert {receipt["type"] for receipt in receipts} <= {DELIVERED, HANDED_OVER}
    assert carrier.acknowledged == sum(pdu.registered_delivery & 1 for pdu in carrier.taken) >= 1


@needs_kannel
async def test_it_is_delivered_long_texts_in_parts_and_whole(tmp_path: Path) -> None:
    parts = in_parts(WORDS)
    async with bound(tmp_path) as (kannel, _, session), asyncio.timeout(PATIENCE_S):
        results = [await session.deliver(incoming(part, esm_class=UDH_PRESENT)) for part in parts]
        in_parts_again = await kannel.texts.get()
        results.append(await session.deliver(incoming(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, WORDS),))))
        whole = await kannel.texts.get()

    assert all(result.is_accepted for result in results)
    assert in_parts_again == whole == {"from": "+12025550199", "to": "+12025550100", "text": WORDS.decode().strip()}


@needs_kannel
async def test_it_comes_again_when_it_was_told_to_slow_down(tmp_path: Path) -> None:
    class Busy(Carrier):
        refused = 0

        def on_submit(self, session: ServerSession, pdu: SubmitSm | DataSm) -> Reply:
            if not self.refused:
                self.refused += 1
                return Reply(status=Status.THROTTLED)
            return super().on_submit(session, pdu)

    busy = Busy()
    async with bound(tmp_path, busy) as (kannel, _, _), asyncio.timeout(PATIENCE_S):
        await kannel.send("short")
        await until(lambda: bool(busy.taken))

    assert (busy.refused, [pdu.short_message for pdu in busy.taken if isinstance(pdu, SubmitSm)]) == (1, [b"short"])


@needs_kannel
async def test_it_asks_whether_we_are_there_and_says_goodbye(tmp_path: Path) -> None:
    async with bound(tmp_path) as (kannel, _, session):
        heard = session.counters.requests
        await until(lambda: session.counters.requests > heard)  # its enquire_link, every second
        await kannel.stop()

        assert await session.closed == "unbound by the peer"


@needs_kannel
async def test_it_binds_again_when_we_hang_up(tmp_path: Path) -> None:
    submissions, carrier = Submissions(), Carrier()
    async with (
        server_on(carrier.on_submit, submissions=submissions) as server,
        kannel_on(server.port, tmp_path) as kannel,
    ):
        async with asyncio.timeout(PATIENCE_S):
            (await submissions.sessions.get()).abort()
            await submissions.sessions.get()
            await kannel.send("again")
            await until(lambda: len(carrier.taken) == 1)


@needs_its_carrier
async def test_our_client_speaks_to_its_carrier() -> None:
    """It knows transmitters and receivers, answers without an id, and asks after each text whether we are there."""
    heard: list[Inbound] = []
    (port,) = free_ports(1)
    carrier = await asyncio.create_subprocess_exec(DRIVE_SMPP, "-v", "4", "-p", str(port), "-m", "20")
    try:
        async with asyncio.timeout(PATIENCE_S):
            transmitter = await bound_when_it_listens(bind_on(port, mode=Mode.TRANSMITTER, terms=Terms(window=5)))
            receiver = await connect(bind_on(port, mode=Mode.RECEIVER), lambda pdu: heard.append(pdu) or 0)
            texts = [outgoing(part, esm_class=UDH_PRESENT) for part in in_parts(WORDS)]
            texts.append(outgoing(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, WORDS), Tlv(0x1400, b"vendor"))))
            results = await asyncio.gather(*(transmitter.submit(text) for text in texts * 5))
            await until(lambda: len(heard) == 20)
            await transmitter.unbind()
            reason = await receiver.closed
    finally:
        if carrier.returncode is None:
            carrier.kill()
        await carrier.wait()

    assert all(result.is_accepted for result in results)
    assert [(pdu.source, text_of(pdu)) for pdu in heard] == [("456", str(n).encode()) for n in range(1, 21)]
    assert (await transmitter.closed, receiver.counters.requests >= 40) == ("unbound", True)
    assert "connection" in reason


async def bound_when_it_listens(bind: Bind) -> ClientSession:
    """It takes a closed connection for the end of its work, so it must not be tried first."""
    while True:
        try:
            return await connect(bind, lambda _: 0)
        except NotBound:
            await asyncio.sleep(0.02)
