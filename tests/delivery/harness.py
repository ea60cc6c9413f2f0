"""A worker's texts against a carrier that does as it is told, over a real line and a real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from agentmessage.carriers.messaging import Heard, ReceiptHeard, TextCarrier
from agentmessage.carriers.smpp import SmppAccount, SmppTexts
from agentmessage.delivery.dispatcher import Dispatcher, Rules
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.recorder import Recorder
from agentmessage.delivery.sweeper import Sweeper
from agentmessage.kernel.clock import WallClock
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages.admission import admit_all
from agentmessage.messages.draft import Draft
from agentmessage.messages.model import Message
from agentmessage.smpp.client import Bind
from agentmessage.smpp.pdu import DeliverSm, SubmitSm, Tlv
from agentmessage.smpp.receipts import Receipt, State, parameters, write
from agentmessage.smpp.server import Limits, Reply, Server, ServerSession, known, serve
from agentmessage.smpp.settings import Terms
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

PATIENCE_S = 20.0
CLOCK = WallClock()
RECEIPT = 0x04


class Smsc:
    """Takes texts as `decide` says: a status, or None to say nothing before `speak`. `taken` holds texts by its ids."""

    def __init__(self) -> None:
        self.decide: Callable[[SubmitSm], int | None] = lambda _: 0
        self.name: Callable[[int], str] = lambda number: f"{0xA000 + number:x}"
        self.asked: list[SubmitSm] = []
        self.was_asked = asyncio.Event()
        self.speak = asyncio.Event()
        self.taken: dict[str, SubmitSm] = {}
        self.count = 0
        self.server: Server | None = None
        self.session: ServerSession | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.port

    def on_submit(self, session: ServerSession, pdu: Any) -> Reply | Awaitable[Reply]:
        self.session = session
        self.asked.append(pdu)
        self.was_asked.set()
        status = self.decide(pdu)
        if status is None:
            return self._silence(pdu)
        if status:
            return Reply(status=status)
        return self._take(pdu)

    def _take(self, pdu: SubmitSm) -> Reply:
        message_id = self.name(self.count)
        self.count += 1
        self.taken[message_id] = pdu
        return Reply(message_id)

    async def _silence(self, pdu: SubmitSm) -> Reply:
        await self.speak.wait()
        return self._take(pdu)

    async def tell(self, message_id: str, state: State, *, error: str = "000") -> int | None:
        """Send a receipt; answers the status that the house acknowledged it with."""
        pdu = self.taken.get(message_id, SubmitSm(source="14155550123", destination="12125550188"))
        receipt = Receipt(message_id, state, error)
        return await self._deliver(pdu, write(receipt, submitted_at=CLOCK.now()), *parameters(receipt))

    async def say(self, words: str, *, about: SubmitSm | None = None) -> int | None:
        """Send a receipt in these words alone; returns the status that it was acknowledged with."""
        return await self._deliver(about or next(iter(self.taken.values())), words.encode())

    async def _deliver(self, about: SubmitSm, words: bytes, *tlvs: Tlv) -> int | None:
        assert self.session is not None
        result = await self.session.deliver(
            DeliverSm(
                source_ton=1,
                source_npi=1,
                source=about.destination,
                destination_ton=1,
                destination_npi=1,
                destination=about.source,
                esm_class=RECEIPT,
                short_message=words,
                tlvs=tlvs,
            )
        )
        return result.status


@asynccontextmanager
async def smsc_up(smsc: Smsc) -> AsyncIterator[Smsc]:
    """The carrier, listening."""
    smsc.server = await serve(
        "127.0.0.1",
        0,
        authenticate=known({"house": "secret"}),
        on_submit=smsc.on_submit,
        limits=Limits(refusal_delay_s=0.01),
    )
    try:
        yield smsc
    finally:
        for session in smsc.server.sessions:
            session.abort("the test is over")
        await smsc.server.close()


def account_at(port: int, *, window: int = 100, response_timeout_s: float = 5.0, **changes: Any) -> SmppAccount:
    bind = Bind(
        host="127.0.0.1",
        port=port,
        system_id="house",
        password="secret",
        terms=Terms(window=window, response_timeout_s=response_timeout_s),
    )
    return SmppAccount(account="live", bind=bind, **changes)


class MessageWorkerHarness:
    """One worker's machinery for one cell and one line, turned by hand."""

    def __init__(
        self, db: CellDb, line: TextCarrier, *, rules: Rules | None = None, retries_unknown: bool = False
    ) -> None:
        self.db = db
        self.line = line
        self.token = new_id()
        self.heard: list[Heard] = []
        self.recorder = Recorder(db, "live", line.name, self.token, retries_unknown=retries_unknown)
        self.dispatcher = Dispatcher(db, "live", line, self.recorder, token=self.token, rules=rules or Rules())
        self.sweeper = Sweeper(
            db,
            "live",
            line.channels,
            self.recorder,
            token=self.token,
            patience_h=72,
            mine=lambda: self.dispatcher.held,
        )

    async def hear(self, account: str, heard: Sequence[Heard]) -> None:
        """What app/hearing does, for one cell."""
        self.heard += heard
        await self.recorder.until_caught_up()
        told = [one for one in heard if isinstance(one, ReceiptHeard)]
        await receipts.keep(self.db, account, await receipts.apply(self.db, account, told))

    async def turn(self) -> float:
        """Claim and hand over once, and wait until the outcome is recorded; answers the wait."""
        async with asyncio.timeout(PATIENCE_S):
            await self.dispatcher.until_room()
            wait_s = await self.dispatcher.turn()
            await self.settle()
        return wait_s

    async def settle(self) -> None:
        """Until the line has answered for everything and all of it is recorded."""
        await self.dispatcher.until_landed()
        await self.recorder.until_caught_up()

    async def sweep(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            found = await self.sweeper.turn()
            await self.recorder.until_caught_up()
        return found


@asynccontextmanager
async def worker_on(db: CellDb, line: TextCarrier, **options: Any) -> AsyncIterator[MessageWorkerHarness]:
    """A worker whose line is up."""
    worker = MessageWorkerHarness(db, line, **options)
    running = asyncio.create_task(line.run(worker.hear))
    try:
        yield worker
    finally:
        running.cancel()
        await asyncio.gather(running, worker.recorder.close(), return_exceptions=True)


@asynccontextmanager
async def open_worker(
    db: CellDb, *, rules: Rules | None = None, retries_unknown: bool = False, **changes: Any
) -> AsyncIterator[tuple[Smsc, MessageWorkerHarness]]:
    """A carrier and a worker that is bound to it."""
    async with smsc_up(Smsc()) as smsc:
        line = SmppTexts(account_at(smsc.port, **changes))
        async with worker_on(db, line, rules=rules, retries_unknown=retries_unknown) as worker:
            yield smsc, worker


async def hand_over(smsc: Smsc, worker: MessageWorkerHarness, *, count: int = 1) -> None:
    """Until the carrier was asked to take so many."""
    async with asyncio.timeout(PATIENCE_S):
        while len(smsc.asked) < count:
            await worker.dispatcher.until_room()
            await worker.dispatcher.turn()
            await asyncio.sleep(0)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what no event tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the point of it
            await asyncio.sleep(0.005)


async def ready_sender(db: CellDb, account: Account, number: str = "+14155550123", **given: Any) -> Sender:
    """A number that may text CONTACT, at any pace."""
    sender = await insert_sender(db, account.tenant, number, **given)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    return sender


async def admit(
    db: CellDb, tenant: Tenant, sender: Sender, *texts: str, to: str = CONTACT, **given: Any
) -> list[Message]:
    """Admit texts as the API does."""
    drafts = [
        Draft(id=new_id(), tenant=tenant, sender=sender.number, recipient=to, text=text, **given) for text in texts
    ]
    async with db.transaction() as tx:
        outcomes = await admit_all(tx, drafts, requires_propagation=True)
    for outcome in outcomes:
        if isinstance(outcome, ApiError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Message)]


async def status_of(db: CellDb, message_id: UUID) -> tuple[str, str | None]:
    """Status and error of a text."""
    found = await db.one(lambda *row: row, "SELECT status, error_code FROM messages WHERE id = $1", message_id)
    assert found is not None
    return found


async def history_of(db: CellDb, message_id: UUID) -> list[tuple[str, str]]:
    """Every status and its cause, in order."""
    history = await db.value("SELECT history FROM messages WHERE id = $1", message_id)
    return [(move["status"], move["cause"]) for move in history]


async def age(db: CellDb, *, by: timedelta) -> None:
    """Let claims look older than they are."""
    await db.run("UPDATE message_queue SET claim_until = claim_until - $1::interval", by)
