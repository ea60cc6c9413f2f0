"""What a server does about whoever connects: refused, counted, and nobody else is the worse for it."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from agentmessage.smpp.client import connect
from agentmessage.smpp.errors import BindRefused, SessionClosed
from agentmessage.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    CancelSm,
    CancelSmResp,
    DeliverSm,
    GenericNack,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
)
from agentmessage.smpp.server import Account, Credentials, Limits, Reply, Server, ServerSession
from agentmessage.smpp.settings import Mode, Terms
from tests.smpp.lines import HELLO, Submissions, bind_to, client_on, raw_peer, server_on, until

FRAME = bytes.fromhex("00000010 00000015 00000000 00000007")


async def works(server: Server) -> bool:
    """Whether somebody else can still bind and submit."""
    async with client_on(server) as session:
        return (await session.submit(HELLO)).is_accepted


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"\0\0\0\x0f" + bytes(11), Status.INVALID_COMMAND_LENGTH),
        (b"\0\1\0\1" + bytes(12), Status.INVALID_COMMAND_LENGTH),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Status.INVALID_COMMAND_LENGTH),
        (b"\xff\xff\xff\xff", Status.INVALID_COMMAND_LENGTH),
    ],
)
async def test_a_stream_that_is_no_smpp_is_answered_and_hung_up_on(octets: bytes, status: Status) -> None:
    async with server_on() as server, raw_peer(server.port) as peer:
        await peer.send(octets)

        answer = await peer.hear()

        assert (answer.pdu, answer.status) == (GenericNack(), status)
        assert await peer.is_hung_up_on()
        assert server.counters.oversized == 1
        assert await works(server)


async def test_a_malformed_text_is_refused_by_itself() -> None:
    """The next one over the same line is taken."""
    submissions = Submissions()
    async with server_on(submissions=submissions) as server, raw_peer(server.port) as peer:
        await peer.bind()
        whole = bytes.fromhex("0000002f 00000004 00000000 00000002") + b"\0\1\1" + b"3" * 25 + b"\0\1\1"
        await peer.send(whole)
        refused = await peer.hear()
        await peer.say(HELLO, 3)
        taken = await peer.hear()

    assert (refused.pdu, refused.status, refused.sequence) == (SubmitSmResp(), Status.INVALID_SOURCE, 2)
    assert (taken.pdu, taken.status, taken.sequence) == (SubmitSmResp("id-1"), 0, 3)
    assert server.counters.malformed == 1


async def test_who_keeps_sending_what_cannot_be_read_is_hung_up_on() -> None:
    limits = Limits(terms=Terms(max_malformed=3))
    async with server_on(limits=limits) as server, raw_peer(server.port) as peer:
        await peer.send(bytes.fromhex("00000011 00000004 00000000 00000002 00") * 10)

        assert [(await peer.hear()).status for _ in range(3)] == [Status.INVALID_COMMAND_LENGTH] * 3
        assert await peer.is_hung_up_on()
        assert server.counters.malformed == 3


async def test_a_command_that_nobody_knows_is_nacked_and_counted() -> None:
    async with server_on() as server, raw_peer(server.port) as peer:
        await peer.send(bytes.fromhex("00000010 00007777 00000000 00000009"))
        answer = await peer.hear()

    assert (answer.pdu, answer.status, answer.sequence) == (GenericNack(), Status.INVALID_COMMAND_ID, 9)
    assert server.counters.unknown_commands == 1


async def test_an_answer_that_nobody_knows_is_not_answered() -> None:
    """Two ends that nack each other's nacks would never stop."""
    async with server_on() as server, raw_peer(server.port) as peer:
        await peer.send(
            bytes.fromhex("00000010 80007777 00000000 00000009 00000010 80000000 00000003 00000001") + FRAME
        )

        assert (await peer.hear()).sequence == 7
        assert server.counters.stray_answers == 2


async def test_a_pdu_that_drips_is_not_waited_for() -> None:
    """Neither one that stops, nor one that always has another octet."""
    limits = Limits(terms=Terms(pdu_timeout_s=0.1))
    async with server_on(limits=limits) as server, raw_peer(server.port) as peer:
        await peer.bind()
        hung_up = asyncio.ensure_future(peer.is_hung_up_on())
        await peer.send(b"\0\0\1\0")
        while not hung_up.done():
            peer.writer.write(b"\0")
            await asyncio.wait((hung_up,), timeout=0.02)

        assert server.counters.slow_pdus == 1
        assert await works(server)


async def test_pdus_that_keep_coming_in_pieces_are_not_taken_for_one_that_drips() -> None:
    limits = Limits(terms=Terms(pdu_timeout_s=0.4))
    async with server_on(limits=limits) as server, raw_peer(server.port) as peer:
        await peer.send(FRAME[:8])
        for _ in range(25):
            await asyncio.sleep(0.02)
            await peer.send(FRAME[8:] + FRAME[:8])
            assert (await peer.hear()).sequence == 7

        assert server.counters.slow_pdus == 0


async def test_a_pdu_that_is_cut_off_by_the_end_of_the_line_is_dropped() -> None:
    submissions = Submissions()
    async with server_on(submissions=submissions) as server:
        async with raw_peer(server.port) as peer:
            await peer.bind()
            await peer.send(b"\0\0\0\x40\0\0\0\4\0\0\0\0\0\0\0\2half a te")
        await (await submissions.sessions.get()).closed

        assert (submissions.taken, server.sessions) == ([], [])
        assert await works(server)


async def test_an_address_has_so_many_connections_and_no_more() -> None:
    async with server_on(limits=Limits(max_per_address=3)) as server, AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(raw_peer(server.port))
        await until(lambda: server.counters.connections == 3)
        flood = [await stack.enter_async_context(raw_peer(server.port)) for _ in range(20)]

        assert all([await peer.is_hung_up_on() for peer in flood])
        assert server.counters.floods_refused == 20


async def test_all_together_have_so_many_connections_and_a_place_becomes_free() -> None:
    async with server_on(limits=Limits(max_connections=1)) as server:
        async with raw_peer(server.port) as first, raw_peer(server.port) as second:
            assert await second.is_hung_up_on()
            first.writer.close()
            await until(lambda: server.counters.connections == 2)
        await until(lambda: not server.connections)

        assert await works(server)


async def test_who_does_not_bind_in_time_is_hung_up_on() -> None:
    async with server_on(limits=Limits(bind_timeout_s=0.05)) as server, raw_peer(server.port) as peer:
        assert await peer.is_hung_up_on()
        assert server.counters.binds_timed_out == 1


async def test_who_guesses_a_password_waits_for_the_answer_and_is_hung_up_on() -> None:
    async with server_on(limits=Limits(refusal_delay_s=0.2)) as server, raw_peer(server.port) as peer:
        began = asyncio.get_running_loop().time()
        for sequence in (1, 2):
            await peer.say(BindTransceiver("esme", "guess"), sequence)

        answer = await peer.hear()

        assert (answer.status, answer.sequence) == (Status.INVALID_PASSWORD, 1)
        assert asyncio.get_running_loop().time() - began >= 0.2
        assert await peer.is_hung_up_on()
        assert server.counters.binds_refused == 1


async def test_a_system_id_that_is_unknown_is_refused_like_a_wrong_password() -> None:
    async with server_on() as server:
        for system_id, password in (("nobody", ""), ("nobody", "secret"), ("esme", "")):
            with pytest.raises(BindRefused) as refused:
                await connect(bind_to(server, system_id=system_id, password=password), lambda _: 0)
            assert refused.value.status == Status.INVALID_PASSWORD


async def test_an_account_has_so_many_sessions_and_no_more() -> None:
    async with server_on(limits=Limits(max_per_account=2, refusal_delay_s=0)) as server, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(client_on(server))
        with pytest.raises(BindRefused) as refused:
            await connect(bind_to(server), lambda _: 0)
        other = await stack.enter_async_context(client_on(server, system_id="other", password="secret2"))

        assert refused.value.status == Status.ALREADY_BOUND
        assert (await other.submit(HELLO)).is_accepted


async def test_who_may_bind_can_be_looked_up_meanwhile() -> None:
    """With what was sent right behind the bind waiting for the outcome."""
    asked: list[Credentials] = []

    async def authenticate(credentials: Credentials) -> Account:
        asked.append(credentials)
        await asyncio.sleep(0)
        return Account("somebody", max_sessions=1)

    async with server_on(authenticate=authenticate) as server, raw_peer(server.port) as peer:
        await peer.say(BindTransceiver("x", "y", "VMA"), 1)
        await peer.say(HELLO, 2)
        answers = [await peer.hear(), await peer.hear()]

        assert [(answer.sequence, answer.status) for answer in answers] == [(1, 0), (2, 0)]
        assert asked == [Credentials("x", "y", "VMA", Mode.TRANSCEIVER, "127.0.0.1")]
        assert [session.account for session in server.sessions] == [Account("somebody", max_sessions=1)]


async def test_a_second_bind_over_one_line_is_refused_and_the_first_stays() -> None:
    async with server_on() as server, raw_peer(server.port) as peer:
        await peer.bind()
        again = await peer.bind()
        await peer.say(HELLO, 3)

        assert (again.status, (await peer.hear()).status) == (Status.ALREADY_BOUND, 0)


async def test_nothing_is_taken_from_who_is_not_bound() -> None:
    submissions = Submissions()
    async with server_on(submissions=submissions) as server, raw_peer(server.port) as peer:
        await peer.say(HELLO, 1)
        answer = await peer.hear()

    assert (answer.pdu, answer.status, submissions.taken) == (SubmitSmResp(), Status.WRONG_BIND_STATE, [])


async def test_a_receiver_may_not_submit_and_a_transmitter_is_delivered_nothing() -> None:
    submissions = Submissions()
    async with server_on(submissions=submissions) as server:
        async with raw_peer(server.port) as peer:
            await peer.say(BindReceiver("esme", "secret"), 1)
            assert isinstance((await peer.hear()).pdu, BindReceiverResp)
            await peer.say(HELLO, 2)
            assert (await peer.hear()).status == Status.WRONG_BIND_STATE
            assert (await submissions.sessions.get()).may_deliver
        async with client_on(server, mode=Mode.TRANSMITTER) as transmitter:
            session = await submissions.sessions.get()
            with pytest.raises(SessionClosed):
                await session.deliver(DeliverSm())

            assert (await transmitter.submit(HELLO)).is_accepted
            assert not session.may_deliver


@pytest.mark.parametrize(
    ("request_", "answer", "status"),
    [
        (SubmitMulti(b"\0\0\0\0\1"), SubmitMultiResp(), Status.INVALID_COMMAND_ID),
        (QuerySm("id"), QuerySmResp(), Status.QUERY_FAILED),
        (CancelSm("id"), CancelSmResp(), Status.CANCEL_FAILED),
        (ReplaceSm("id"), ReplaceSmResp(), Status.REPLACE_FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_we_do_not_do_is_refused_with_its_own_answer(
    request_: SubmitMulti | QuerySm | CancelSm | ReplaceSm, answer: object, status: Status
) -> None:
    async with server_on() as server, raw_peer(server.port) as peer:
        await peer.bind()
        await peer.say(request_, 2)

        heard = await peer.hear()

    assert (heard.pdu, heard.status, heard.sequence) == (answer, status, 2)


async def test_a_peer_that_says_nothing_is_hung_up_on_where_the_terms_say_so() -> None:
    limits = Limits(terms=Terms(idle_close_s=0.05))
    async with server_on(limits=limits) as server, raw_peer(server.port) as peer:
        await peer.bind()

        assert await peer.is_hung_up_on()
        assert server.counters.idle_closed == 1


async def test_a_peer_that_does_not_read_its_answers_is_not_read_either() -> None:
    """Answers that nobody fetches must not fill our memory."""
    taken = 0

    def on_submit(_session: ServerSession, _pdu: object) -> Reply:
        nonlocal taken
        taken += 1
        return Reply("id", tlvs=(Tlv(0x1400, bytes(60_000)),))

    async with server_on(on_submit) as server, raw_peer(server.port) as peer:
        await peer.bind()
        for sequence in range(2, 1_002):
            peer.writer.write(encode_hello(sequence))
        await until(lambda: server.sessions[0].is_held)
        before = taken
        await asyncio.sleep(0.05)
        assert before == taken < 1_000

        heard = [(await peer.hear()).sequence for _ in range(1_000)]

        assert (heard, taken) == (list(range(2, 1_002)), 1_000)


async def test_a_peer_that_never_reads_its_answers_is_hung_up_on() -> None:
    def on_submit(_session: ServerSession, _pdu: object) -> Reply:
        return Reply("id", tlvs=(Tlv(0x1400, bytes(60_000)),))

    async with server_on(on_submit, limits=Limits(terms=Terms(pdu_timeout_s=0.1))) as server:
        async with raw_peer(server.port) as peer:
            await peer.bind()
            for sequence in range(2, 1_002):
                peer.writer.write(encode_hello(sequence))
            await until(lambda: server.counters.slow_readers == 1)

        assert await works(server)


def encode_hello(sequence: int) -> bytes:
    body = b"\0\0\0" + b"1\0\0\0" + b"2\0" + bytes(9) + b"\0"
    return (16 + len(body)).to_bytes(4, "big") + b"\0\0\0\4" + bytes(4) + sequence.to_bytes(4, "big") + body


async def test_others_do_not_notice_a_thousand_strangers() -> None:
    """Wrong lengths, wrong passwords and half PDUs, while somebody submits."""
    submissions = Submissions()
    async with server_on(submissions=submissions) as server, client_on(server) as session:

        async def stranger(number: int) -> None:
            async with raw_peer(server.port) as peer:
                await peer.send((b"\xff" * 20, b"\0\0\1\0half", encode_hello(1))[number % 3])

        strangers = asyncio.gather(*(stranger(number) for number in range(45)))
        results = await asyncio.gather(*(session.submit(SubmitSm(source=str(n))) for n in range(500)))
        await strangers

    assert all(result.is_accepted for result in results)
    assert [pdu.source for pdu in submissions.taken] == [str(n) for n in range(500)]
