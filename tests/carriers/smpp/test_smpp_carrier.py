"""The line over a real socket: binds, windows, refusals, throttling, and what the carrier tells."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentmessage.carriers.messaging import (
    THROTTLED,
    Handed,
    Heard,
    InboundHeard,
    OutboundText,
    PumpedCarrier,
    ReceiptHeard,
    ReceiptState,
    TextAnswer,
    TextError,
    TextRefused,
)
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown
from agentmessage.carriers.smpp import SmppTexts
from agentmessage.carriers.smpp.throttle import Throttle
from agentmessage.kernel.ids import new_id
from agentmessage.smpp.pdu import DeliverSm, Status
from agentmessage.smpp.receipts import State
from tests.delivery.harness import PATIENCE_S, Smsc, account_at, smsc_up, until

LONG = "a" * 400


def outbound(text: str = "Acme: hi.") -> OutboundText:
    return OutboundText(
        message_id=new_id(),
        sender="+14155550123",
        recipient="+12125550188",
        text=text,
        segments=1,
        priority=1,
        expires_at=datetime.now(UTC) + timedelta(hours=4),
    )


class Ear:
    """What was told; `fails` makes it not be kept."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.told = asyncio.Event()

    async def __call__(self, account: str, heard: Sequence[Heard]) -> None:
        await self.gate.wait()
        assert account == "live"
        if self.fails:
            raise ConnectionError("the database is away")
        self.heard += heard
        self.told.set()


@asynccontextmanager
async def line_to(smsc: Smsc, ear: Ear, **changes: Any) -> AsyncIterator[SmppTexts]:
    """A line that is up."""
    line = SmppTexts(account_at(smsc.port, **changes))
    running = asyncio.create_task(line.run(ear))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await line.until_room()
        yield line
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def standing(**changes: Any) -> AsyncIterator[tuple[Smsc, SmppTexts, Ear]]:
    """A carrier, a line and an ear."""
    ear = Ear()
    async with smsc_up(Smsc()) as smsc, line_to(smsc, ear, **changes) as line, asyncio.timeout(PATIENCE_S):
        yield smsc, line, ear


async def test_a_text_is_accepted_with_the_id_of_each_part() -> None:
    async with standing() as (smsc, line, _):
        short, long = await line.send(outbound()), await line.send(outbound(LONG))

    assert isinstance(line, PumpedCarrier)
    assert short == Accepted(Handed(("a000",)))
    assert long == Accepted(Handed(("a001", "a002", "a003")))
    assert len(smsc.asked) == 4


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (Status.INVALID_DESTINATION, TextRefused(TextError.INVALID_DESTINATION, "0x0B", "invalid_destination")),
        (Status.REJECTED, TextRefused(TextError.CARRIER_REJECTED, "0x66", "rejected")),
        (0x0403, TextRefused(TextError.UNKNOWN, "0x403", "")),
        (Status.SYSTEM_ERROR, Deferred("status 0x08", 5.0)),
        (Status.QUEUE_FULL, Deferred("status 0x14", 10.0)),
        (Status.TEMPORARY_ERROR, Deferred("status 0x64", 5.0)),
    ],
)
async def test_each_status_is_one_of_four_answers(status: int, answer: object) -> None:
    async with standing() as (smsc, line, _):
        smsc.decide = lambda _: status

        assert await line.send(outbound()) == answer
        assert len(smsc.asked) == 1


async def test_a_failed_submission_is_asked_for_once_more() -> None:
    async with standing() as (smsc, line, _):
        said = iter([Status.SUBMIT_FAILED, 0, Status.SUBMIT_FAILED, Status.SUBMIT_FAILED])
        smsc.decide = lambda _: next(said)
        second_time, never = await line.send(outbound()), await line.send(outbound())

    assert isinstance(second_time, Accepted)
    assert isinstance(never, TextRefused)


async def test_throttling_puts_the_text_off_and_holds_the_line() -> None:
    async with standing() as (smsc, line, _):
        smsc.decide = lambda _: Status.THROTTLED
        answer = await line.send(outbound())

        assert isinstance(answer, Deferred)
        assert answer.reason == THROTTLED
        assert 0 < answer.retry_after_s <= 1.0
        assert line.room == 0


async def test_a_part_that_is_put_off_waits_in_the_line_since_the_others_are_gone() -> None:
    async with standing() as (smsc, line, _):
        said = iter([0, Status.THROTTLED, 0, 0])
        smsc.decide = lambda _: next(said)

        assert await line.send(outbound(LONG)) == Accepted(Handed(("a000", "a001", "a002")))
        assert len(smsc.asked) == 4


async def test_a_text_of_which_only_a_part_was_taken_is_unknown() -> None:
    async with standing() as (smsc, line, _):
        said = iter([0, Status.REJECTED])
        smsc.decide = lambda _: next(said)

        answer = await line.send(outbound(LONG))

    assert isinstance(answer, Unknown)
    assert "1 of 3 parts" in answer.reason


async def test_a_line_that_breaks_leaves_its_texts_unknown_and_comes_back() -> None:
    async with standing() as (smsc, line, _):
        smsc.decide = lambda _: None
        sending = asyncio.create_task(line.send(outbound()))
        await smsc.was_asked.wait()
        assert smsc.session is not None
        smsc.session.abort("gone")
        broken = await sending
        smsc.decide = lambda _: 0
        await line.until_room()

        assert isinstance(broken, Unknown)
        assert isinstance(await line.send(outbound()), Accepted)


async def test_a_late_answer_leads_receipts_to_the_text() -> None:
    async with standing(response_timeout_s=0.1) as (smsc, line, ear):
        text = outbound()
        smsc.decide = lambda _: None
        unknown = await line.send(text)
        smsc.speak.set()
        await ear.told.wait()

    assert isinstance(unknown, Unknown)
    (heard,) = ear.heard
    assert isinstance(heard, ReceiptHeard)
    assert (heard.message_id, heard.carrier_message_id, heard.state) == (text.message_id, "a000", ReceiptState.SENT)


async def test_a_line_that_is_down_sends_nothing_and_has_no_room() -> None:
    async with smsc_up(Smsc()) as smsc:
        line = SmppTexts(account_at(smsc.port))

        assert line.room == 0
        assert isinstance(await line.send(outbound()), Deferred)


async def test_several_binds_share_the_texts() -> None:
    async with standing(binds=3, window=2) as (smsc, line, _):
        await until(lambda: line.room == 6)
        smsc.decide = lambda _: None
        for _ in range(6):
            line.hand_over(outbound(), lambda _: None)

        assert line.room == 0
        assert smsc.server is not None
        assert len(smsc.server.sessions) == 3


async def test_more_than_the_window_waits_in_line_in_its_order() -> None:
    async with standing(window=2) as (smsc, line, _):
        answers = await asyncio.gather(*(line.send(outbound(f"Acme: {number}")) for number in range(20)))

    assert all(isinstance(answer, Accepted) for answer in answers)
    assert [pdu.short_message for pdu in smsc.asked] == [f"Acme: {number}".encode() for number in range(20)]


@pytest.mark.parametrize("answers_enquiries", [True, False])
async def test_a_carrier_that_answers_nothing_leaves_one_window_unknown_however_often_it_lets_us_bind(
    *, answers_enquiries: bool
) -> None:
    window, ends = 8, list[TextAnswer]()
    async with standing(window=window, response_timeout_s=0.1) as (smsc, line, _):
        assert smsc.server is not None
        smsc.server.answers_enquiries = answers_enquiries
        smsc.decide = lambda _: None

        async def pour() -> None:
            while True:
                await line.until_room()
                line.hand_over(outbound(), ends.append)

        pouring = asyncio.create_task(pour())
        await until(lambda: len(ends) > window)  # one window, and the first of those that ask whether it answers
        asked = len(smsc.asked)
        smsc.decide = lambda _: 0
        await until(lambda: sum(isinstance(end, Accepted) for end in ends) > 3 * window)
        pouring.cancel()

    unknown = sum(isinstance(end, Unknown) for end in ends)
    assert asked <= window + 2
    assert unknown <= window + 3


async def test_what_is_told_is_acknowledged_only_after_it_is_kept() -> None:
    async with standing() as (smsc, line, ear):
        await line.send(outbound())
        ear.gate.clear()
        telling = asyncio.create_task(smsc.tell("a000", State.DELIVERED))
        done, _ = await asyncio.wait([telling], timeout=0.2)
        ear.gate.set()

        assert not done
        assert await telling == 0
        assert [one.carrier_message_id for one in ear.heard] == ["a000"]


async def test_what_is_not_kept_is_refused_for_now_so_that_the_carrier_tells_it_again() -> None:
    async with standing() as (smsc, line, ear):
        await line.send(outbound())
        ear.fails = True
        first = await smsc.tell("a000", State.DELIVERED)
        ear.fails = False

        assert first == Status.TEMPORARY_ERROR
        assert await smsc.tell("a000", State.DELIVERED) == 0


async def test_a_text_from_a_handset_is_told() -> None:
    async with standing() as (smsc, line, ear):
        await line.send(outbound())
        assert smsc.session is not None
        result = await smsc.session.deliver(
            DeliverSm(
                source_ton=1, source="12125550188", destination_ton=1, destination="14155550123", short_message=b"STOP"
            )
        )

    (heard,) = ear.heard
    assert result.status == 0
    assert isinstance(heard, InboundHeard)
    assert (heard.sender, heard.recipient, heard.text) == ("+12125550188", "+14155550123", "STOP")


async def test_a_receipt_that_says_nothing_is_acknowledged_and_told_to_nobody() -> None:
    async with standing() as (smsc, line, ear):
        await line.send(outbound())
        assert smsc.session is not None
        result = await smsc.session.deliver(DeliverSm(source="1", destination="2", esm_class=4, short_message=b"???"))

    assert result.status == 0
    assert ear.heard == []


async def test_a_carrier_that_takes_fifty_a_second_gets_nearly_so_many_with_few_refusals() -> None:
    """As in the measurement of the peers: 500 texts at an SMSC that takes 50 a second and refuses the rest."""
    throttle, now, taken, refused, in_window = Throttle(), 0.0, 0, 0, 0
    window_began = 0.0
    while taken < 500 and now < 60:
        if now - window_began >= 1.0:
            window_began, in_window = window_began + 1.0, 0
        room = throttle.room(now)
        for _ in range(10 if room is None else min(room, 10)):
            throttle.left(now)
            if in_window < 50:
                in_window += 1
                taken += 1
                throttle.accepted(now)
            else:
                refused += 1
                throttle.complained(now)
                break
        now += 0.01

    assert taken == 500
    assert now < 18.0  # Kannel took 18.0 s and 447 refusals, Jasmin 271 s
    assert refused < 50


@pytest.mark.parametrize("taken_before_s", [0, 5])
@pytest.mark.parametrize("taken_while_throttled", [0, 1, 5, 50])
def test_a_carrier_that_throttles_no_more_is_sent_to_at_full_pace_within_seconds(
    taken_before_s: int, taken_while_throttled: int
) -> None:
    """Two minutes of throttling, then none: 3,000 messages through a window of 100, by the clock of the model."""
    throttle, now, second, taken_this_second = Throttle(), 0.0, -1, 0
    ends_at = taken_before_s + 120.0
    in_flight: deque[tuple[float, bool]] = deque()
    taken_after = 0
    while taken_after < 3_000 and now < ends_at + 60:
        while in_flight and in_flight[0][0] <= now:
            _, is_taken = in_flight.popleft()
            taken_after += is_taken and now >= ends_at
            (throttle.accepted if is_taken else throttle.complained)(now)
        room = throttle.room(now)
        free = 100 - len(in_flight)
        for _ in range(free if room is None else min(room, free)):
            throttle.left(now)
            if int(now) != second:
                second, taken_this_second = int(now), 0
            taken_this_second += 1
            is_limited = taken_before_s <= now < ends_at
            in_flight.append((now + 0.02, not is_limited or taken_this_second <= taken_while_throttled))
        now += 0.005

    assert now - ends_at < 10.0
