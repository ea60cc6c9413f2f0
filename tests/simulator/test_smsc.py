"""The SMSC on a real socket, with our own client: every form of a submission, and every form of a delivery."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from messaging_customer import HANDSET, SENDER, handset

from agentmessage.simulator.server import Running, SimulatorConfig, running
from agentmessage.simulator.smsc import PASSWORD
from agentmessage.smpp import receipts
from agentmessage.smpp.client import Bind, ClientSession, connect
from agentmessage.smpp.errors import BindRefused
from agentmessage.smpp.pdu import DataSm, DeliverSm, Inbound, Status, SubmitSm, Tag, Tlv, parameter
from agentmessage.smpp.settings import Mode, Outcome, Terms
from agentmessage.sms import gsm
from agentmessage.sms.segments import Coding, parts


class Line:
    """A customer with a bind, whose answers to what is delivered the test decides."""

    def __init__(self, up: Running) -> None:
        self._up = up
        self.received: asyncio.Queue[Inbound] = asyncio.Queue()
        self.answer = 0
        self.sessions: list[ClientSession] = []

    async def bind(
        self, *, system_id: str = "live", password: str = PASSWORD, mode: Mode = Mode.TRANSCEIVER, **terms: Any
    ) -> ClientSession:
        session = await connect(
            Bind(
                host="127.0.0.1",
                port=self._up.smpp_port,
                system_id=system_id,
                password=password,
                mode=mode,
                terms=Terms(**terms),
            ),
            self._deliver,
        )
        self.sessions.append(session)
        return session

    def _deliver(self, pdu: Inbound) -> int:
        self.received.put_nowait(pdu)
        return self.answer

    async def next(self) -> DeliverSm:
        async with asyncio.timeout(5):
            pdu = await self.received.get()
        assert isinstance(pdu, DeliverSm)
        return pdu

    async def receipt(self) -> receipts.Receipt:
        read = receipts.read(await self.next())
        assert read is not None
        return read


class Simulation(Line):
    def __init__(self, up: Running, http: aiohttp.ClientSession) -> None:
        super().__init__(up)
        self._http = http

    async def control(self, path: str, body: object = None) -> Any:
        method = "GET" if body is None else "POST"
        async with self._http.request(method, f"{self._up.url}/_control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def inbox(self, number: str = HANDSET) -> list[str]:
        return [text["text"] for text in (await self.control(f"handsets/{number}/inbox"))["messages"]]


@asynccontextmanager
async def simulation(data_dir: Path | None = None, *, profile: str = "instant") -> AsyncIterator[Simulation]:
    config = SimulatorConfig(port=0, smpp_port=0, profile=profile, prints_ready_line=False, data_dir=data_dir)
    async with running(config) as up, aiohttp.ClientSession() as http:
        simulated = Simulation(up, http)
        await simulated.control("numbers", {"numbers": [SENDER]})
        await simulated.control("campaigns/CTEST01", {"create": True})
        await simulated.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})
        try:
            yield simulated
        finally:
            for session in simulated.sessions:
                session.abort()


@pytest.fixture
async def line() -> AsyncIterator[Simulation]:
    async with simulation() as simulated:
        yield simulated


def submit(
    text: bytes = b"hello",
    *,
    to: str = HANDSET,
    sender: str = SENDER,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: tuple[Tlv, ...] = (),
    receipts: int = 1,
) -> SubmitSm:
    return SubmitSm(
        source_ton=1,
        source_npi=1,
        source=sender.removeprefix("+"),
        destination_ton=1,
        destination_npi=1,
        destination=to.removeprefix("+"),
        esm_class=esm_class,
        registered_delivery=receipts,
        data_coding=data_coding,
        short_message=text,
        tlvs=tlvs,
    )


# ── submissions ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_message_is_accepted_and_delivered_with_a_receipt(line: Simulation) -> None:
    session = await line.bind()

    result = await session.submit(submit())
    receipt = await line.receipt()

    assert result.is_accepted
    assert (receipt.message_id, receipt.state) == (result.message_id, receipts.State.DELIVERED)
    assert await line.inbox() == ["hello"]


LONG = "The quick brown fox {jumps} over €20 of lazy dogs. " * 8
CYRILLIC = "Съешь же ещё этих мягких французских булок 🥐 да выпей чаю. " * 3


@pytest.mark.parametrize(
    ("text", "coding", "bits"),
    [(LONG, Coding.GSM_UNPACKED, 8), (LONG, Coding.GSM_UNPACKED, 16), (CYRILLIC, Coding.UCS2, 8)],
)
async def test_parts_with_a_header_are_joined(line: Simulation, text: str, coding: Coding, bits: Any) -> None:
    session = await line.bind()
    cut = parts(text, coding, reference=201, reference_bits=bits)

    for part in cut:
        data_coding = 8 if coding is Coding.UCS2 else 0
        result = await session.submit(submit(part.octets, esm_class=0x40, data_coding=data_coding))
        assert result.is_accepted
        await line.receipt()

    assert await line.inbox() == [text]


async def test_packed_septets_are_a_setting(line: Simulation) -> None:
    await line.control("messages/settings", {"is_packed": True})
    session = await line.bind()
    for part in parts(LONG, Coding.GSM_PACKED, reference=7):
        await session.submit(submit(part.octets, esm_class=0x40))
        await line.receipt()

    assert await line.inbox() == [LONG]


async def test_parts_with_sar_parameters_are_joined(line: Simulation) -> None:
    session = await line.bind()

    for number, text in ((2, b"world"), (1, b"hello ")):
        group = (
            Tlv(Tag.SAR_MESSAGE_REFERENCE, b"\x00\x09"),
            Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x02"),
            Tlv(Tag.SAR_SEGMENT_NUMBER, bytes((number,))),
        )
        await session.submit(submit(text, tlvs=group))
        await line.receipt()

    assert await line.inbox() == ["hello world"]


async def test_a_payload_is_one_message_of_several_segments(line: Simulation) -> None:
    session = await line.bind()
    payload = Tlv(Tag.MESSAGE_PAYLOAD, gsm.encode_unpacked(LONG))

    await session.submit(submit(b"", tlvs=(payload,)))
    await line.receipt()
    await session.submit(
        DataSm(
            source=SENDER[1:], destination=HANDSET[1:], registered_delivery=1, tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b"x"),)
        )
    )
    await line.receipt()

    assert await line.inbox() == [LONG, "x"]
    assert (await line.control("messages"))["counts"]["segments"] == 4


@pytest.mark.parametrize(
    ("to", "sender"), [("2125550112", "4155550100"), ("12125550112", "14155550100"), (HANDSET, SENDER)]
)
async def test_numbers_are_understood_in_every_spelling(line: Simulation, to: str, sender: str) -> None:
    session = await line.bind()
    pdu = SubmitSm(source=sender, destination=to, short_message=b"hello")

    assert (await session.submit(pdu)).is_accepted
    assert await line.inbox() == ["hello"]


async def test_the_customers_reference_is_kept(line: Simulation) -> None:
    session = await line.bind()

    await session.submit(submit(tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, b"\x12\x34"),)))

    assert (await line.control("messages"))["messages"][0]["reference"] == str(0x1234)


@pytest.mark.parametrize(
    ("form", "answer_base", "receipt_base"),
    [("hex", 16, 16), ("decimal", 10, 10), ("mixed", 16, 10), ("mixed_back", 10, 16)],
)
async def test_the_form_of_ids_is_a_setting(line: Simulation, form: str, answer_base: int, receipt_base: int) -> None:
    await line.control("messages/settings", {"ids": form})
    session = await line.bind()

    result = await session.submit(submit())
    pdu = await line.next()
    receipt = receipts.read(pdu)

    assert receipt is not None
    assert int(result.message_id, answer_base) == int(receipt.message_id, receipt_base)
    assert (result.message_id == receipt.message_id) == (answer_base == receipt_base)
    assert parameter(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID) == receipt.message_id.encode() + b"\0"


@pytest.mark.parametrize(("form", "last"), [("hex", "A"), ("decimal", "10")])
async def test_ids_that_count_from_one_are_a_setting(line: Simulation, form: str, last: str) -> None:
    await line.control("messages/settings", {"ids": form, "counts_from_one": True})
    session = await line.bind()

    ids = [(await session.submit(submit())).message_id for _ in range(10)]

    assert (ids[0], ids[-1]) == ("1", last)


# ── deliveries ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_failure_is_in_the_text_and_in_the_parameters_of_a_receipt(line: Simulation) -> None:
    session = await line.bind()

    await session.submit(submit(to=handset(65)))
    pdu = await line.next()

    assert pdu.esm_class == 0x04
    assert b"stat:UNDELIV err:015" in pdu.short_message
    assert parameter(pdu.tlvs, Tag.MESSAGE_STATE) == b"\x05"
    assert parameter(pdu.tlvs, Tag.NETWORK_ERROR_CODE) == b"\x03" + (4770).to_bytes(2, "big")


async def test_a_receipt_may_precede_the_response(line: Simulation) -> None:
    session = await line.bind()
    order: list[str] = []
    answered = asyncio.Event()

    def on_result(_: object) -> None:
        order.append("response" if line.received.empty() else "receipt, response")
        answered.set()

    session.submit_nowait(submit(to=handset(80)), on_result)
    await asyncio.wait_for(answered.wait(), 5)

    assert order == ["receipt, response"]


async def test_a_delivery_that_is_not_acknowledged_is_repeated(line: Simulation) -> None:
    session = await line.bind()
    line.answer = Status.SYSTEM_ERROR

    result = await session.submit(submit())
    first = await line.receipt()
    line.answer = 0
    second = await line.receipt()

    assert first == second
    assert first.message_id == result.message_id
    async with asyncio.timeout(5):
        while (await line.control("messages"))["counts"]["open"]:
            pass


async def test_what_a_lost_bind_did_not_acknowledge_is_delivered_over_another(line: Simulation) -> None:
    first = await line.bind()
    await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "one"})
    await line.next()
    first.abort()
    await first.closed

    await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "two"})
    await line.bind()

    assert (await line.next()).short_message == b"two"


async def test_transmitters_receive_nothing_and_receivers_submit_nothing(line: Simulation) -> None:
    transmitter = await line.bind(mode=Mode.TRANSMITTER)
    receiver = await line.bind(mode=Mode.RECEIVER)

    result = await transmitter.submit(submit())

    assert (await line.receipt()).message_id == result.message_id
    assert (await receiver.submit(submit())).status == Status.WRONG_BIND_STATE


async def test_a_message_of_a_handset_has_its_sender_and_text(line: Simulation) -> None:
    await line.bind()

    await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "grüß €5"})
    pdu = await line.next()

    assert (pdu.source, pdu.destination, pdu.esm_class, pdu.data_coding) == (HANDSET[1:], SENDER[1:], 0, 0)
    assert gsm.decode_unpacked(pdu.short_message) == "grüß €5"


async def test_the_alphabet_of_data_coding_0_is_a_setting_in_both_directions(line: Simulation) -> None:
    await line.control("messages/settings", {"alphabet": "latin1"})
    session = await line.bind()

    await session.submit(submit(b"gr\xfc\xdfe @ {}"))
    await line.receipt()
    await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "caf\u00e9 @ {}"})
    pdu = await line.next()

    assert await line.inbox() == ["gr\u00fc\u00dfe @ {}"]
    assert (pdu.data_coding, pdu.short_message) == (0, b"caf\xe9 @ {}")


async def test_the_parts_of_a_long_message_of_a_handset_share_a_reference(line: Simulation) -> None:
    await line.bind()

    await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": CYRILLIC})
    pdus = [await line.next() for _ in range(3)]

    assert {pdu.esm_class for pdu in pdus} == {0x40}
    assert len({pdu.short_message[:5] for pdu in pdus}) == 1
    assert [pdu.short_message[5] for pdu in pdus] == [1, 2, 3]
    assert b"".join(pdu.short_message[6:] for pdu in pdus).decode("utf-16-be") == CYRILLIC


async def test_each_system_id_receives_only_for_its_own_account(line: Simulation) -> None:
    await line.bind(system_id="sandbox")
    live = Line(line._up)
    session = await live.bind()

    refused = await line.sessions[0].submit(submit())
    await session.submit(submit())
    await live.next()

    assert refused.status == Status.INVALID_SOURCE
    assert line.received.empty()
    session.abort()


@pytest.mark.parametrize(("system_id", "password"), [("live", "wrong"), ("stranger", "simulate")])
async def test_a_bind_with_a_wrong_password_is_rejected(line: Simulation, system_id: str, password: str) -> None:
    with pytest.raises(BindRefused):
        await line.bind(system_id=system_id, password=password)


# ── faults ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("suffix", "arrives"), [(84, True), (85, False)])
async def test_a_message_may_have_no_response(line: Simulation, suffix: int, arrives: bool) -> None:  # noqa: FBT001
    session = await line.bind(response_timeout_s=0.2)

    result = await session.submit(submit(to=handset(suffix)))

    assert result.outcome is Outcome.TIMED_OUT
    assert len(await line.inbox(handset(suffix))) == int(arrives)
    assert (await session.submit(submit())).is_accepted


async def test_the_connection_may_break_after_a_message_was_accepted(line: Simulation) -> None:
    session = await line.bind()
    await line.control("faults", {"once": [{"fault": "reset_after", "operation": "smpp"}]})

    result = await session.submit(submit())

    assert result.outcome is Outcome.LOST
    assert await line.inbox() == ["hello"]
    await line.bind()
    assert (await line.receipt()).state is receipts.State.DELIVERED


async def test_every_connection_can_be_dropped(line: Simulation) -> None:
    sessions = [await line.bind(), await line.bind()]

    await line.control("messages/drop", {})

    async with asyncio.timeout(5):
        await asyncio.gather(*(session.closed for session in sessions))


async def test_an_enquire_link_without_response_is_a_setting(line: Simulation) -> None:
    await line.control("messages/settings", {"answers_enquiries": False})
    session = await line.bind(enquire_link_s=0.05, response_timeout_s=0.1)

    async with asyncio.timeout(5):
        reason = await session.closed

    assert "enquire_link" in reason


async def test_the_latency_of_responses_is_a_setting(line: Simulation) -> None:
    await line.control("messages/settings", {"latency_s": 0.2})
    session = await line.bind()
    started = asyncio.get_running_loop().time()

    results = await asyncio.gather(*(session.submit(submit(b"%d" % number)) for number in range(20)))

    assert all(result.is_accepted for result in results)
    assert 0.2 <= asyncio.get_running_loop().time() - started < 2


async def test_a_receipt_that_was_not_acknowledged_is_repeated_after_a_restart(tmp_path: Path) -> None:
    async with simulation(tmp_path) as before:
        session = await before.bind()
        before.answer = Status.SYSTEM_ERROR
        result = await session.submit(submit())
        await before.receipt()

    async with simulation(tmp_path) as after:
        await after.bind()
        receipt = await after.receipt()

        assert receipt.message_id == result.message_id
        assert await after.inbox() == ["hello"]
