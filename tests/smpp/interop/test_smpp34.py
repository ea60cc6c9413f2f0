"""smpp34, a library in Rust with both ends: its client against our server, and our client against its server."""

import asyncio
import socket
from typing import Any

import pytest

from agentmessage.smpp.client import connect
from agentmessage.smpp.pdu import Inbound, Tag, Tlv, parameter, text_of
from agentmessage.smpp.receipts import State, read
from tests.smpp.interop.texts import FULL, UDH_PRESENT, WORDS, Carrier, in_parts, incoming, joined, outgoing
from tests.smpp.lines import PATIENCE_S, Submissions, bind_on, server_on, until

smpp34: Any = pytest.importorskip("smpp34", reason="smpp34 is not installed")


def client_to(port: int, password: str = "secret") -> Any:  # noqa: S107 - that of the test's own server
    return smpp34.Client("127.0.0.1", port, "esme", password, bind_type="TRX", window_size=10)


async def test_its_client_submits_long_texts_and_gets_its_receipts() -> None:
    carrier = Carrier()
    parts = in_parts(WORDS)
    async with server_on(carrier.on_submit) as server:
        client = client_to(server.port)
        async with asyncio.timeout(PATIENCE_S):
            smsc = await client.connect()
            answers = [
                await smsc.submit_sm(
                    "12025550199", part, source_addr="12025550100", esm_class=0x40, registered_delivery=1
                )
                for part in parts
            ]
            payload = [smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, WORDS), smpp34.Tlv(0x1400, b"vendor")]
            answers.append(await smsc.submit_sm("12025550199", source_addr="1", tlvs=payload, registered_delivery=1))
            receipts = [await smsc.next() for _ in answers]
            full = await smsc.submit_sm(FULL, b"no room")
            await smsc.unbind()
            await client.stop()

    assert joined(carrier.parts) == WORDS
    assert carrier.payloads == [WORDS]
    assert parameter(carrier.taken[-1].tlvs, 0x1400) == b"vendor"
    assert [answer.message_id for answer in answers] == [f"{n:08x}" for n in range(1, len(answers) + 1)]
    assert all(event.esm_class == 0x04 and b"stat:DELIVRD" in event.short_message for event in receipts)
    ids = [tlv.as_string() for event in receipts for tlv in event.tlvs if tlv.tag == 0x001E]
    assert sorted(ids) == [answer.message_id for answer in answers]
    assert full.command_status == smpp34.ESME_RTHROTTLED


async def test_its_client_is_delivered_texts_in_parts_and_whole() -> None:
    submissions = Submissions()
    parts = in_parts(WORDS)
    async with server_on(submissions=submissions) as server:
        client = client_to(server.port)
        async with asyncio.timeout(PATIENCE_S):
            smsc = await client.connect()
            session = await submissions.sessions.get()
            texts = [incoming(part, esm_class=UDH_PRESENT) for part in parts]
            texts.append(incoming(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, WORDS), Tlv(0x1400, b"vendor"))))
            results = [await session.deliver(text) for text in texts]
            events = [await smsc.next() for _ in texts]
            await session.unbind()
            assert isinstance(await smsc.next(), smpp34.Disconnected)
            await client.stop()

    assert all(result.is_accepted for result in results)
    assert joined([event.short_message for event in events[:-1]]) == WORDS
    assert {tlv.tag: tlv.value for tlv in events[-1].tlvs} == {0x0424: WORDS, 0x1400: b"vendor"}


async def test_its_client_is_refused_with_a_wrong_password() -> None:
    """It goes on trying and tells nobody, so the server is asked what happened."""
    async with server_on() as server:
        client = client_to(server.port, "wrong")
        connecting = asyncio.ensure_future(client.connect())
        await until(lambda: server.counters.binds_refused >= 1)
        connecting.cancel()
        await client.stop()

        assert server.sessions == []


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def answered_by_its_server(events: Any, esmes: list[Any], taken: list[Any]) -> None:
    """The carrier's part: takes texts, sends a receipt for each, has no room for one."""
    while not isinstance(event := await events.next(), smpp34.Unbound):
        if isinstance(event, smpp34.Esme):
            esmes.append(event)
        elif event.destination_addr == FULL:
            event.reject(smpp34.ESME_RTHROTTLED)
        else:
            taken.append(event)
            event.accept(str(len(taken)))
            receipt = b"id:%d sub:001 dlvrd:001 stat:DELIVRD err:000" % len(taken)
            await esmes[0].deliver_sm(event.source_addr, receipt, source_addr=event.destination_addr, esm_class=4)


async def test_our_client_speaks_to_its_server() -> None:
    heard: list[Inbound] = []
    esmes: list[Any] = []
    taken: list[Any] = []
    parts = in_parts(WORDS)
    port = free_port()
    carrier = smpp34.Server("127.0.0.1", port)
    await carrier.start()
    async with asyncio.timeout(PATIENCE_S):
        running = asyncio.ensure_future(answered_by_its_server(carrier, esmes, taken))
        session = await connect(bind_on(port), lambda pdu: heard.append(pdu) or 0)
        texts = [outgoing(part, esm_class=UDH_PRESENT) for part in parts]
        texts.append(outgoing(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, WORDS), Tlv(0x1400, b"vendor"))))
        results = [await session.submit(text) for text in texts]
        full = await session.submit(type(texts[0])(source="1", destination=FULL))
        payload = [smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, WORDS)]
        delivered = await esmes[0].deliver_sm("12025550100", source_addr="12025550199", tlvs=payload)
        await session.unbind()
        await running
        await carrier.stop()

    assert [result.message_id for result in results] == [f"{n}" for n in range(1, len(texts) + 1)]
    assert full.is_throttled
    assert delivered.is_success
    assert joined([event.short_message for event in taken[: len(parts)]]) == WORDS
    assert {tlv.tag: tlv.value for tlv in taken[-1].tlvs} == {0x0424: WORDS, 0x1400: b"vendor"}
    receipts = [found for pdu in heard if (found := read(pdu)) is not None]
    assert sorted(found.message_id for found in receipts) == [result.message_id for result in results]
    assert all(found.state is State.DELIVERED for found in receipts)
    assert text_of(heard[-1]) == WORDS
