"""What both ends promise about requests and their answers, over a real socket."""

import asyncio
import ssl
from pathlib import Path

import pytest

from agentmessage.smpp.client import connect
from agentmessage.smpp.errors import BindRefused, NotBound, SessionClosed, WindowFull
from agentmessage.smpp.pdu import (
    MAX_SEQUENCE,
    BindTransceiverResp,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Inbound,
    Outbind,
    QuerySm,
    QuerySmResp,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Tlv,
    Unbind,
    UnbindResp,
)
from agentmessage.smpp.server import Reply, ServerSession
from agentmessage.smpp.settings import Counters, Outcome, Result, Terms
from tests.smpp.lines import (
    HELLO,
    PATIENCE_S,
    RawPeer,
    Submissions,
    bind_on,
    bind_to,
    certificate,
    client_on,
    raw_carrier,
    raw_peer,
    server_on,
    until,
)

HASTY = Terms(response_timeout_s=0.05)


async def let_in(peer: RawPeer) -> None:
    """The carrier's part of a bind."""
    await peer.say(BindTransceiverResp("smsc"), (await peer.hear()).sequence)


# ---- requests of ours


async def test_a_text_arrives_as_it_was_sent_and_its_id_comes_back() -> None:
    submissions = Submissions()
    async with server_on(submissions=submissions) as server, client_on(server) as session:
        result = await session.submit(HELLO)

    assert (result.is_accepted, result.message_id, submissions.taken) == (True, "id-1", [HELLO])


async def test_a_refusal_is_a_result_and_not_an_exception() -> None:
    answers = iter((Status.THROTTLED, Status.QUEUE_FULL, Status.INVALID_DESTINATION))
    async with server_on(lambda _session, _pdu: Reply(status=next(answers))) as server, client_on(server) as session:
        results = [await session.submit(HELLO) for _ in range(3)]

    assert [(r.outcome, r.status, r.is_throttled, r.is_accepted) for r in results] == [
        (Outcome.ANSWERED, 0x58, True, False),
        (Outcome.ANSWERED, 0x14, True, False),
        (Outcome.ANSWERED, 0x0B, False, False),
    ]


async def test_a_text_without_an_answer_is_unknown_and_never_sent_again() -> None:
    heard: list[object] = []

    async def silent(peer: RawPeer) -> None:
        await let_in(peer)
        while True:
            packet = await peer.hear()
            if isinstance(packet.pdu, EnquireLink):
                await peer.say(EnquireLinkResp(), packet.sequence)
                continue
            heard.append(packet.pdu)
            if isinstance(packet.pdu, Unbind):
                await peer.say(UnbindResp(), packet.sequence)

    async with raw_carrier(silent) as port:
        session = await connect(bind_on(port, terms=HASTY), lambda _: 0)
        result = await session.submit(HELLO)
        await until(lambda: session.room == Terms().window)
        await session.unbind()

    assert (result.outcome, result.status) == (Outcome.TIMED_OUT, None)
    assert heard == [HELLO, Unbind()]
    assert session.counters.timed_out == 1


async def test_an_answer_that_comes_late_is_told_with_the_sequence_it_belongs_to() -> None:
    late: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    given_up = asyncio.Event()

    async def slow(peer: RawPeer) -> None:
        await let_in(peer)
        sequence = (await peer.hear()).sequence
        await given_up.wait()
        await peer.say(SubmitSmResp("late-1"), sequence)
        await peer.say(SubmitSmResp("late-1"), sequence)
        await peer.hear()

    async with raw_carrier(slow) as port:
        session = await connect(bind_on(port, terms=HASTY), lambda _: 0, on_late=late.set_result)
        first = await session.submit(HELLO)
        given_up.set()
        second = await late
        await until(lambda: session.counters.stray_answers == 1)
        session.abort()

    assert (first.outcome, second.outcome, second.message_id) == (Outcome.TIMED_OUT, Outcome.ANSWERED, "late-1")
    assert first.sequence == second.sequence


async def test_all_that_is_in_flight_is_lost_with_the_connection() -> None:
    async def leaving(peer: RawPeer) -> None:
        await let_in(peer)
        for _ in range(3):
            await peer.hear()

    async with raw_carrier(leaving) as port:
        session = await connect(bind_on(port), lambda _: 0)
        results = await asyncio.gather(*(session.submit(HELLO) for _ in range(3)))

        assert [result.outcome for result in results] == [Outcome.LOST] * 3
        assert "closed by the peer" in await session.closed
        with pytest.raises(SessionClosed):
            await session.submit(HELLO)


async def test_no_more_is_in_flight_than_the_window_allows() -> None:
    highest, now, gate = 0, 0, asyncio.Event()

    async def on_submit(_session: ServerSession, _pdu: object) -> Reply:
        nonlocal highest, now
        now += 1
        highest = max(highest, now)
        await gate.wait()
        now -= 1
        return Reply("id")

    async with server_on(on_submit) as server, client_on(server, terms=Terms(window=3)) as session:
        submits = [asyncio.ensure_future(session.submit(HELLO)) for _ in range(10)]
        await until(lambda: now == 3)
        with pytest.raises(WindowFull):
            session.submit_nowait(HELLO, print)
        gate.set()
        results = await asyncio.gather(*submits)

    assert (highest, len(results), all(result.is_accepted for result in results)) == (3, 10, True)


async def test_who_waits_for_the_window_learns_that_nothing_was_sent() -> None:
    async def deaf(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.hear()

    async with raw_carrier(deaf) as port:
        session = await connect(bind_on(port, terms=Terms(window=1)), lambda _: 0)
        first, second = await asyncio.gather(session.submit(HELLO), session.submit(HELLO), return_exceptions=True)

    assert isinstance(first, Result)
    assert first.outcome is Outcome.LOST
    assert isinstance(second, SessionClosed)


async def test_a_caller_who_gave_up_waiting_does_not_keep_a_place() -> None:
    gate = asyncio.Event()

    async def on_submit(_session: ServerSession, _pdu: object) -> Reply:
        await gate.wait()
        return Reply("id")

    async with server_on(on_submit) as server, client_on(server, terms=Terms(window=1)) as session:
        first, second, third = (asyncio.ensure_future(session.submit(HELLO)) for _ in range(3))
        await until(lambda: session.in_flight == 1)
        second.cancel()
        gate.set()

        assert [(await first).is_accepted, (await third).is_accepted] == [True, True]
        assert session.room == 1


async def test_a_place_that_was_meant_for_who_just_gave_up_is_the_next_ones() -> None:
    """He is cancelled in the very turn in which the place becomes free."""
    async with server_on() as server, client_on(server, terms=Terms(window=1)) as session:
        waiting: list[asyncio.Task[Result]] = []
        session.submit_nowait(HELLO, lambda _: waiting[0].cancel())
        waiting += [asyncio.create_task(session.submit(HELLO)) for _ in range(2)]

        assert (await asyncio.wait_for(waiting[1], PATIENCE_S)).is_accepted
        assert waiting[0].cancelled()


async def test_a_time_out_makes_room_for_who_waits() -> None:
    heard = 0

    async def silent(peer: RawPeer) -> None:
        nonlocal heard
        await let_in(peer)
        while True:
            packet = await peer.hear()
            if isinstance(packet.pdu, EnquireLink):
                await peer.say(EnquireLinkResp(), packet.sequence)
            else:
                heard += 1

    async with raw_carrier(silent) as port:
        terms = Terms(window=1, response_timeout_s=0.05)
        session = await connect(bind_on(port, terms=terms), lambda _: 0)
        async with asyncio.timeout(PATIENCE_S):
            results = await asyncio.gather(*(session.submit(HELLO) for _ in range(3)))
        session.abort()

    assert ([result.outcome for result in results], heard) == ([Outcome.TIMED_OUT] * 3, 3)


async def test_a_peer_that_says_nothing_at_all_is_sent_no_more_than_one_window() -> None:
    """The places that time-outs free stay empty: what would take them is lost as well."""
    received: list[object] = []

    async def silent(peer: RawPeer) -> None:
        await let_in(peer)
        while True:
            received.append((await peer.hear()).pdu)

    async with raw_carrier(silent) as port:
        terms = Terms(window=5, response_timeout_s=0.2)
        session = await connect(bind_on(port, terms=terms), lambda _: 0)
        async with asyncio.timeout(PATIENCE_S):
            ends = await asyncio.gather(*(session.submit(HELLO) for _ in range(20)), return_exceptions=True)
            reason = await session.closed

    assert reason == "enquire_link was not answered"
    assert received.count(HELLO) == 5
    assert [end.outcome for end in ends[:5] if isinstance(end, Result)] == [Outcome.TIMED_OUT] * 5
    assert all(isinstance(end, SessionClosed) for end in ends[5:])


async def test_sequence_numbers_begin_again_at_one() -> None:
    terms = Terms(first_sequence=MAX_SEQUENCE - 2)  # which the bind takes
    async with server_on() as server, client_on(server, terms=terms) as session:
        sequences = [(await session.submit(HELLO)).sequence for _ in range(3)]

    assert sequences == [MAX_SEQUENCE - 1, MAX_SEQUENCE, 1]


async def test_what_is_submitted_in_one_turn_leaves_in_one_write() -> None:
    pieces: list[bytes] = []

    async def listening(peer: RawPeer) -> None:
        await let_in(peer)
        pieces.append(await peer.reader.read(65536))

    async with raw_carrier(listening) as port:
        session = await connect(bind_on(port), lambda _: 0)
        for _ in range(20):
            session.submit_nowait(HELLO, lambda _: None)
        await session.closed

    assert pieces[0].count(b"hello") == 20


async def test_a_nack_is_the_answer_to_the_request_that_it_names() -> None:
    async def puzzled(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.say(GenericNack(), (await peer.hear()).sequence, status=Status.INVALID_COMMAND_LENGTH)
        await peer.hear()

    async with raw_carrier(puzzled) as port:
        session = await connect(bind_on(port), lambda _: 0)
        result = await session.submit(HELLO)
        session.abort()

    assert (result.outcome, result.status) == (Outcome.ANSWERED, Status.INVALID_COMMAND_LENGTH)


async def test_an_answer_of_another_kind_is_not_the_answer() -> None:
    async def confused(peer: RawPeer) -> None:
        await let_in(peer)
        sequence = (await peer.hear()).sequence
        await peer.say(DeliverSmResp("wrong"), sequence)
        await peer.say(SubmitSmResp("right"), sequence)
        await peer.hear()

    async with raw_carrier(confused) as port:
        session = await connect(bind_on(port), lambda _: 0)
        result = await session.submit(HELLO)
        session.abort()

    assert (result.message_id, session.counters.stray_answers) == ("right", 1)


async def test_a_query_brings_back_the_whole_answer() -> None:
    async def knowing(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.say(QuerySmResp("id", message_state=2), (await peer.hear()).sequence)
        await peer.hear()

    async with raw_carrier(knowing) as port:
        session = await connect(bind_on(port), lambda _: 0)
        result = await session.request(QuerySm("id"))
        session.abort()

    assert result.reply == QuerySmResp("id", message_state=2)


async def test_a_failing_listener_does_not_cost_the_others_their_results() -> None:
    results: list[Result] = []

    def failing(_: Result) -> None:
        raise RuntimeError

    async with server_on() as server, client_on(server) as session:
        session.submit_nowait(HELLO, failing)
        session.submit_nowait(HELLO, results.append)
        await until(lambda: bool(results))

    assert results[0].is_accepted


# ---- requests of the peer


async def test_a_delivery_is_acknowledged_only_after_its_handler_has_returned() -> None:
    submissions, stored = Submissions(), asyncio.Event()

    async def on_deliver(_: Inbound) -> int:
        await stored.wait()
        return 0

    async with server_on(submissions=submissions) as server, client_on(server, on_deliver):
        delivery = asyncio.ensure_future((await submissions.sessions.get()).deliver(DeliverSm(short_message=b"hi")))
        done, _ = await asyncio.wait((delivery,), timeout=0.05)
        assert not done

        stored.set()

        assert (await delivery).is_accepted


async def test_a_handler_chooses_the_status_and_one_that_fails_asks_for_another_try() -> None:
    submissions = Submissions()

    async def on_deliver(pdu: Inbound) -> int:
        if pdu.source == "broken":
            raise RuntimeError
        return Status.QUEUE_FULL if pdu.source == "full" else 0

    async with server_on(submissions=submissions) as server, client_on(server, on_deliver) as session:
        other = await submissions.sessions.get()
        statuses = [(await other.deliver(DeliverSm(source=who))).status for who in ("broken", "full", "fine")]

    assert statuses == [Status.SYSTEM_ERROR, Status.QUEUE_FULL, Status.OK]
    assert session.counters.handlers_failed == 1


async def test_a_handler_that_fails_at_once_asks_for_another_try() -> None:
    submissions = Submissions()

    def on_deliver(_: Inbound) -> int:
        raise RuntimeError

    async with server_on(submissions=submissions) as server, client_on(server, on_deliver):
        result = await (await submissions.sessions.get()).deliver(DeliverSm())

    assert result.status == Status.SYSTEM_ERROR


async def test_no_more_is_handled_at_once_than_the_terms_allow() -> None:
    """The rest stays in the socket, so a slow database slows the carrier down instead of filling our memory."""
    submissions, gate, begun = Submissions(), asyncio.Event(), 0

    async def on_deliver(_: Inbound) -> int:
        nonlocal begun
        begun += 1
        await gate.wait()
        return 0

    async with server_on(submissions=submissions) as server, client_on(server, on_deliver, terms=Terms(max_handling=4)):
        other = await submissions.sessions.get()
        deliveries = [asyncio.ensure_future(other.deliver(DeliverSm())) for _ in range(50)]
        await until(lambda: begun == 4)
        done, _ = await asyncio.wait(deliveries, timeout=0.05)
        assert (len(done), begun) == (0, 4)

        gate.set()
        results = await asyncio.gather(*deliveries)

    assert (begun, sum(result.is_accepted for result in results)) == (50, 50)


async def test_an_answer_that_waits_behind_our_own_slowness_is_not_late() -> None:
    """Otherwise a slow database would make texts unknown that the carrier has long accepted."""
    submissions, gate = Submissions(), asyncio.Event()

    async def on_deliver(_: Inbound) -> int:
        await gate.wait()
        return 0

    terms = Terms(max_handling=1, response_timeout_s=0.1)
    async with server_on(submissions=submissions) as server, client_on(server, on_deliver, terms=terms) as session:
        delivery = asyncio.ensure_future((await submissions.sessions.get()).deliver(DeliverSm()))
        await until(lambda: session.is_held)
        submit = asyncio.ensure_future(session.submit(HELLO))
        done, _ = await asyncio.wait((submit,), timeout=0.3)
        assert not done

        gate.set()

        assert (await submit).is_accepted
        assert (await delivery).is_accepted


async def test_a_text_that_follows_the_bind_at_once_is_not_missed() -> None:
    heard: list[Inbound] = []

    async def eager(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.say(DeliverSm(short_message=b"first"), 1)
        await peer.say(DataSm(source="2"), 2)
        assert [(await peer.hear()).sequence, (await peer.hear()).sequence] == [1, 2]

    async with raw_carrier(eager) as port:
        session = await connect(bind_on(port), lambda pdu: heard.append(pdu) or 0)
        await session.closed

    assert heard == [DeliverSm(short_message=b"first"), DataSm(source="2")]


async def test_parameters_travel_both_ways() -> None:
    submissions = Submissions()
    heard: list[Inbound] = []
    tlvs = (Tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\7"), Tlv(0x1400, b"vendor"))
    async with (
        server_on(
            lambda _session, pdu: submissions.taken.append(pdu) or Reply("id", tlvs=tlvs), submissions=submissions
        ) as server,
        client_on(server, lambda pdu: heard.append(pdu) or 0) as session,
    ):
        result = await session.submit(SubmitSm(tlvs=tlvs))
        await (await submissions.sessions.get()).deliver(DeliverSm(tlvs=tlvs))

    assert [submissions.taken[0].tlvs, heard[0].tlvs, result.tlvs] == [tlvs] * 3


async def test_a_data_sm_travels_both_ways() -> None:
    submissions = Submissions()
    heard: list[Inbound] = []
    text = DataSm(source="1", tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b"long" * 200),))
    async with (
        server_on(submissions=submissions) as server,
        client_on(server, lambda pdu: heard.append(pdu) or 0) as session,
    ):
        submitted = await session.submit(text)
        delivered = await (await submissions.sessions.get()).deliver(text)

    assert (submitted.message_id, delivered.is_accepted, submissions.taken, heard) == ("id-1", True, [text], [text])


async def test_an_outbind_and_other_news_without_an_answer_are_passed_over() -> None:
    async def chatty(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.say(Outbind("smsc"), 1)
        await peer.say(EnquireLink(), 2)
        heard.append((await peer.hear()).pdu)

    heard: list[object] = []
    async with raw_carrier(chatty) as port:
        session = await connect(bind_on(port), lambda _: 0)
        await session.closed

    assert heard == [EnquireLinkResp()]


# ---- binding, living, parting


async def test_a_wrong_password_is_refused_with_its_status() -> None:
    async with server_on() as server:
        with pytest.raises(BindRefused) as refused:
            await connect(bind_to(server, password="wrong"), lambda _: 0)

    assert (refused.value.status, server.counters.binds_refused) == (Status.INVALID_PASSWORD, 1)


async def test_a_carrier_that_does_not_answer_the_bind_is_not_waited_for() -> None:
    async def mute(peer: RawPeer) -> None:
        await peer.is_hung_up_on()

    async with raw_carrier(mute) as port:
        with pytest.raises(NotBound):
            await connect(bind_on(port, bind_timeout_s=0.05), lambda _: 0)


async def test_a_carrier_that_hangs_up_or_is_not_there_is_not_bound_to() -> None:
    async def rude(peer: RawPeer) -> None:
        await peer.hear()

    async with raw_carrier(rude) as port:
        with pytest.raises(NotBound, match="closed by the peer"):
            await connect(bind_on(port), lambda _: 0)
    with pytest.raises(NotBound):
        await connect(bind_on(port), lambda _: 0)


async def test_a_silent_line_is_asked_and_one_that_answers_stays() -> None:
    counters = Counters()
    async with server_on() as server:
        session = await connect(bind_to(server, terms=Terms(enquire_link_s=0.02)), lambda _: 0, counters=counters)
        await until(lambda: server.counters.requests >= 4)  # the bind, and three questions

        assert not session.closed.done()
        assert (await session.submit(HELLO)).is_accepted
        session.abort()


async def test_a_line_that_does_not_answer_a_question_is_dead_and_its_texts_are_lost() -> None:
    async def dead(peer: RawPeer) -> None:
        await let_in(peer)
        await peer.is_hung_up_on()

    async with raw_carrier(dead) as port:
        terms = Terms(enquire_link_s=0.02, response_timeout_s=0.2)
        session = await connect(bind_on(port, terms=terms), lambda _: 0)
        reason = await session.closed

    assert (reason, session.counters.dead_peers) == ("enquire_link was not answered", 1)


async def test_an_unbind_closes_both_ends() -> None:
    submissions = Submissions()
    async with server_on(submissions=submissions) as server, client_on(server) as session:
        other = await submissions.sessions.get()

        await session.unbind()

        assert (await session.closed, await other.closed) == ("unbound", "unbound by the peer")


async def test_an_unbind_waits_for_what_is_in_flight() -> None:
    parting = asyncio.Event()
    heard_early: list[object] = []

    async def slow(peer: RawPeer) -> None:
        await let_in(peer)
        text = await peer.hear()
        await parting.wait()
        early = asyncio.ensure_future(peer.hear())
        await asyncio.wait((early,), timeout=0.05)
        heard_early.extend([early.result().pdu] if early.done() else [])
        await peer.say(SubmitSmResp("id"), text.sequence)
        await peer.say(UnbindResp(), (await early).sequence)

    async with raw_carrier(slow) as port:
        session = await connect(bind_on(port), lambda _: 0)
        submit = asyncio.create_task(session.submit(HELLO))
        await until(lambda: session.in_flight == 1)
        goodbye = asyncio.create_task(session.unbind())
        await until(lambda: session.room == 0)
        parting.set()
        with pytest.raises(SessionClosed):
            await session.submit(HELLO)
        await goodbye

    assert (heard_early, (await submit).message_id) == ([], "id")


async def test_a_peer_that_unbinds_still_gets_the_answers_it_waits_for() -> None:
    gate = asyncio.Event()

    async def on_submit(_session: ServerSession, _pdu: object) -> Reply:
        await gate.wait()
        return Reply("id")

    async with server_on(on_submit) as server, raw_peer(server.port) as peer:
        await peer.bind()
        await peer.say(HELLO, 2)
        await peer.say(Unbind(), 3)
        gate.set()

        assert [(await peer.hear()).pdu, (await peer.hear()).pdu] == [SubmitSmResp("id"), UnbindResp()]
        assert await peer.is_hung_up_on()


async def test_a_server_that_closes_says_goodbye() -> None:
    async with server_on() as server, client_on(server) as session:
        await server.close()

        assert await session.closed == "unbound by the peer"


async def test_a_server_that_closes_does_not_wait_for_ever() -> None:
    async with server_on() as server, raw_peer(server.port) as bound, raw_peer(server.port) as stranger:
        await bound.bind()
        await until(lambda: server.connections == 2)

        await server.close(grace_s=0.05)

        assert await bound.is_hung_up_on()
        assert await stranger.is_hung_up_on()
        assert server.connections == 0


async def test_a_line_may_be_encrypted(tmp_path: Path) -> None:
    own, trusted = certificate(tmp_path)
    async with server_on(tls=own) as server, client_on(server, tls=trusted, host="localhost") as session:
        assert (await session.submit(HELLO)).is_accepted

        with pytest.raises(NotBound):
            await connect(bind_to(server, tls=ssl.create_default_context()), lambda _: 0)
