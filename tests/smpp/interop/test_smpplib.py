"""smpplib, a client library of 2005 and later: as our server's peer, and its codec as a carrier for our client."""

import asyncio
import socket
from typing import Any

import pytest

from agentmessage.smpp.client import connect
from agentmessage.smpp.pdu import Inbound, Status, Tag, Tlv, parameter, text_of
from agentmessage.smpp.receipts import State, read
from agentmessage.smpp.settings import Result
from tests.smpp.interop.texts import FULL, UDH_PRESENT, WORDS, Carrier, in_parts, incoming, joined, outgoing
from tests.smpp.lines import PASSWORDS, Submissions, bind_on, server_on

smpplib_client = pytest.importorskip("smpplib.client", reason="smpplib is not installed")
consts = pytest.importorskip("smpplib.consts")
exceptions = pytest.importorskip("smpplib.exceptions")
gsm = pytest.importorskip("smpplib.gsm")
smpp = pytest.importorskip("smpplib.smpp")

TIMEOUT_S = 10


class Esme:
    """smpplib as the one who binds. It blocks, so it lives in a thread."""

    def __init__(self, port: int) -> None:
        self.client = smpplib_client.Client("127.0.0.1", port, timeout=TIMEOUT_S, allow_unknown_opt_params=True)
        self.ids: list[str] = []
        self.refusals: list[int] = []
        self.heard: list[Any] = []
        self.client.set_message_sent_handler(lambda pdu: pdu.is_error() or self.ids.append(pdu.message_id.decode()))
        self.client.set_message_received_handler(self._hear)
        self.client.set_error_pdu_handler(lambda pdu: self.refusals.append(pdu.status))

    def _hear(self, pdu: Any) -> int:
        self.heard.append(pdu)
        return 0

    def bind(self, password: str = PASSWORDS["esme"]) -> None:
        self.client.connect()
        self.client.bind_transceiver(system_id="esme", password=password)

    def send(self, destination: str = "12025550199", **fields: Any) -> None:
        self.client.send_message(
            source_addr_ton=1, source_addr_npi=1, source_addr="12025550100",
            dest_addr_ton=1, dest_addr_npi=1, destination_addr=destination, **fields,
        )  # fmt: skip

    def read_until(self, *, ids: int = 0, heard: int = 0, refusals: int = 0) -> None:
        while len(self.ids) < ids or len(self.heard) < heard or len(self.refusals) < refusals:
            self.client.read_once(auto_send_enquire_link=False)

    def part(self) -> None:
        self.client.unbind()
        self.client.disconnect()


async def test_it_submits_long_texts_in_parts_and_gets_its_receipts() -> None:
    carrier = Carrier()

    def run(port: int) -> Esme:
        esme = Esme(port)
        esme.bind()
        parts, coding, esm_class = gsm.make_parts(WORDS.decode())
        for part in parts:
            esme.send(short_message=part, data_coding=coding, esm_class=esm_class, registered_delivery=True)
        esme.read_until(ids=len(parts), heard=len(parts))
        esme.part()
        return esme

    async with server_on(carrier.on_submit) as server:
        esme = await asyncio.to_thread(run, server.port)

    assert joined(carrier.parts) == WORDS
    assert esme.ids == [f"{n:08x}" for n in range(1, len(carrier.parts) + 1)]
    assert [pdu.receipted_message_id.decode() for pdu in esme.heard] == esme.ids
    assert all(b"stat:DELIVRD" in pdu.short_message and pdu.message_state == 2 for pdu in esme.heard)
    assert carrier.acknowledged == len(esme.ids)


async def test_it_submits_a_long_text_whole() -> None:
    carrier = Carrier()

    def run(port: int) -> None:
        esme = Esme(port)
        esme.bind()
        esme.send(short_message=b"", message_payload=WORDS, user_message_reference=7)
        esme.read_until(ids=1)
        esme.part()

    async with server_on(carrier.on_submit) as server:
        await asyncio.to_thread(run, server.port)

    assert (carrier.payloads, parameter(carrier.taken[0].tlvs, Tag.USER_MESSAGE_REFERENCE)) == ([WORDS], b"\0\7")


async def test_it_is_delivered_texts_in_parts_and_whole() -> None:
    submissions = Submissions()
    parts = in_parts(WORDS)

    def run(port: int) -> Esme:
        esme = Esme(port)
        esme.bind()
        esme.read_until(heard=len(parts) + 1)
        esme.part()
        return esme

    async with server_on(submissions=submissions) as server:
        running = asyncio.ensure_future(asyncio.to_thread(run, server.port))
        session = await submissions.sessions.get()
        results = [await session.deliver(incoming(part, esm_class=UDH_PRESENT)) for part in parts]
        whole = (Tlv(Tag.MESSAGE_PAYLOAD, WORDS), Tlv(0x1400, b"vendor"))
        results.append(await session.deliver(incoming(tlvs=whole)))
        esme = await running

    assert all(result.is_accepted for result in results)
    assert joined([pdu.short_message for pdu in esme.heard[:-1]]) == WORDS
    assert esme.heard[-1].message_payload == WORDS


async def test_it_is_told_to_slow_down_and_goes_on() -> None:
    carrier = Carrier()

    def run(port: int) -> Esme:
        esme = Esme(port)
        esme.bind()
        esme.send(FULL, short_message=b"one")
        esme.read_until(refusals=1)
        esme.send(short_message=b"two")
        esme.read_until(ids=1)
        esme.part()
        return esme

    async with server_on(carrier.on_submit) as server:
        esme = await asyncio.to_thread(run, server.port)

    assert (esme.refusals, len(carrier.taken)) == ([consts.SMPP_ESME_RTHROTTLED], 1)


async def test_its_wrong_password_is_refused() -> None:
    def run(port: int) -> Exception:
        esme = Esme(port)
        with pytest.raises(exceptions.PDUError) as refused:
            esme.bind("wrong")
        esme.client.disconnect()
        return refused.value

    async with server_on() as server:
        refused = await asyncio.to_thread(run, server.port)

    assert refused.args[1] == consts.SMPP_ESME_RINVPASWD


class SmppLibCarrier:
    """A carrier made of smpplib's codec, for it has no server: answers what comes, sends receipts and a text."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.taken: list[Any] = []
        self.commands: list[str] = []

    def run(self) -> None:
        self.listener.settimeout(TIMEOUT_S)
        line, _ = self.listener.accept()
        line.settimeout(TIMEOUT_S)
        self.end = smpplib_client.Client("127.0.0.1", 0, allow_unknown_opt_params=True)
        self.end._socket = line
        self.end.state = consts.SMPP_CLIENT_STATE_BOUND_TRX
        while not self.commands or self.commands[-1] != "unbind":
            pdu = self.end.read_pdu()
            self.commands.append(pdu.command)
            getattr(self, pdu.command, lambda _: None)(pdu)
        line.close()
        self.end._socket = None

    def bind_transceiver(self, pdu: Any) -> None:
        self.answer(pdu, system_id="smpplib")
        text = {"short_message": b"", "message_payload": WORDS}
        long = smpp.make_pdu("deliver_sm", client=self.end, source_addr="1", destination_addr="2", **text)
        self.end._socket.sendall(long.generate())

    def submit_sm(self, pdu: Any) -> None:
        self.taken.append(pdu)
        if pdu.destination_addr == FULL.encode():
            self.answer(pdu, status=consts.SMPP_ESME_RTHROTTLED)
            return
        number = len(self.taken)
        self.answer(pdu, message_id=f"{number}")
        receipt = smpp.make_pdu(
            "deliver_sm",
            client=self.end,
            esm_class=0x04,
            short_message=b"id:%d sub:001 dlvrd:001 stat:DELIVRD err:000" % number,
        )
        self.end._socket.sendall(receipt.generate())

    def unbind(self, pdu: Any) -> None:
        self.answer(pdu)

    def answer(self, pdu: Any, **fields: Any) -> None:
        reply = smpp.make_pdu(f"{pdu.command}_resp", client=self.end, **fields)
        reply.sequence = pdu.sequence
        self.end._socket.sendall(reply.generate())


async def test_our_client_speaks_to_a_carrier_of_its_codec() -> None:
    heard: list[Inbound] = []
    parts = in_parts(WORDS)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        carrier = SmppLibCarrier(listener)
        running = asyncio.ensure_future(asyncio.to_thread(carrier.run))
        session = await connect(bind_on(listener.getsockname()[1]), lambda pdu: heard.append(pdu) or 0)
        texts = [outgoing(part, esm_class=UDH_PRESENT) for part in parts]
        texts.append(outgoing(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, WORDS), Tlv(0x1400, b"vendor"))))
        results: list[Result] = [await session.submit(text) for text in texts]
        full = await session.submit(type(texts[0])(source="1", destination=FULL))
        await session.unbind()
        await running

    assert [result.message_id for result in results] == [f"{n}" for n in range(1, len(texts) + 1)]
    assert full.is_throttled
    assert joined([pdu.short_message for pdu in carrier.taken[: len(parts)]]) == WORDS
    assert carrier.taken[len(parts)].message_payload == WORDS
    assert text_of(heard[0]) == WORDS
    receipts = [found for pdu in heard if (found := read(pdu)) is not None]
    assert [(found.message_id, found.state) for found in receipts] == [
        (result.message_id, State.DELIVERED) for result in results
    ]
    assert carrier.commands.count("deliver_sm_resp") == len(heard)
    assert full.status == Status.THROTTLED
