"""What both ends promise, over a real socket."""

import asyncio

import pytest

from agentmessage.smpp.client import connect
from agentmessage.smpp.errors import BindRefused
from agentmessage.smpp.pdu import DeliverSm, Inbound, Status, Tag, Tlv
from tests.smpp.lines import HELLO, Desk, bind_to, client_on, server_on


async def test_a_text_arrives_as_it_was_sent_and_its_id_comes_back() -> None:
    desk = Desk()
    async with server_on(desk=desk) as server, client_on(server) as session:
        result = await session.submit(HELLO)

    assert (result.is_accepted, result.message_id, desk.taken) == (True, "id-1", [HELLO])


async def test_a_wrong_password_is_refused_with_its_status() -> None:
    async with server_on() as server:
        with pytest.raises(BindRefused) as refused:
            await connect(bind_to(server, password="wrong"), lambda _: 0)

    assert (refused.value.status, server.counters.binds_refused) == (Status.INVALID_PASSWORD, 1)


async def test_a_delivery_is_acknowledged_only_after_its_handler_has_returned() -> None:
    desk, stored = Desk(), asyncio.Event()

    async def on_deliver(_: Inbound) -> int:
        await stored.wait()
        return 0

    async with server_on(desk=desk) as server, client_on(server, on_deliver):
        delivery = asyncio.ensure_future((await desk.sessions.get()).deliver(DeliverSm(short_message=b"hi")))
        done, _ = await asyncio.wait((delivery,), timeout=0.05)
        assert not done

        stored.set()

        assert (await delivery).is_accepted


async def test_parameters_travel_both_ways() -> None:
    desk = Desk()
    heard: list[Inbound] = []
    tlvs = (Tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\7"), Tlv(0x1400, b"vendor"))
    async with (
        server_on(desk=desk) as server,
        client_on(server, lambda pdu: heard.append(pdu) or 0) as session,
    ):
        await session.submit(type(HELLO)(tlvs=tlvs))
        await (await desk.sessions.get()).deliver(DeliverSm(tlvs=tlvs))

    assert [desk.taken[0].tlvs, heard[0].tlvs] == [tlvs, tlvs]


async def test_an_unbind_closes_both_ends() -> None:
    desk = Desk()
    async with server_on(desk=desk) as server, client_on(server) as session:
        other = await desk.sessions.get()

        await session.unbind()

        assert (await session.closed, await other.closed) == ("unbound", "unbound by the peer")
