"""Admission: a flush is one program, with or without idempotency keys."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar, cast

import msgspec
import pytest

from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.errors import ApiError, IdempotencyKeyReused
from agentmessage.kernel.ids import new_id
from agentmessage.messages.admission import Admission
from agentmessage.messages.draft import Draft
from agentmessage.messages.model import Message
from agentmessage.web import idempotency
from agentmessage.web.idempotency import IdempotencyKey, KeyAlreadyUsed
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

T = TypeVar("T")
Outcome = Message | ApiError | KeyAlreadyUsed


class CountingDb:
    """A cell that names the table of each single statement it runs, and counts the transactions it opens."""

    def __init__(self, db: CellDb) -> None:
        self._db = db
        self.statements: list[str] = []
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        self.statements.append(
            next(name for name in ("INSERT INTO messages", "idempotency_keys", "phone_numbers") if name in sql)
        )
        return await self._db.all(row, sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        self.transactions += 1
        async with self._db.transaction() as tx:
            yield tx

    def take(self) -> tuple[list[str], int]:
        taken = self.statements, self.transactions
        self.statements, self.transactions = [], 0
        return taken


READ, WRITE, LOOK_UP_KEYS = "phone_numbers", "INSERT INTO messages", "idempotency_keys"


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may send to CONTACT, of an organization that sent before."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    await db.run("INSERT INTO send_accounts (org_id) VALUES ($1)", account.org_id)
    return sender


def open_admission(db: CellDb | CountingDb) -> Admission:
    return Admission(cast("CellDb", db), lambda _, __: None, requires_propagation=True)


def draft(account: Account, sender: Sender, *, key: str | None = None, body: bytes = b"a") -> Draft:
    claim = None if key is None else IdempotencyKey(key, body.ljust(idempotency.DIGEST_BYTES))
    return Draft(
        id=new_id(), tenant=account.tenant, sender=sender.number, recipient=CONTACT, text="Acme: hi", claim=claim
    )


async def outcome(admission: Admission, asked: Draft) -> Outcome:
    try:
        return await admission.admit(asked)
    except (ApiError, KeyAlreadyUsed) as refusal:
        return refusal


async def flush(admission: Admission, drafts: Sequence[Draft]) -> list[Outcome]:
    """Drafts that arrive in one turn of the loop are one flush."""
    return await asyncio.gather(*(outcome(admission, asked) for asked in drafts))


def message_ids(outcomes: Sequence[Outcome]) -> set[str]:
    """The messages that the outcomes show, accepted now or before."""
    bodies = [
        msgspec.json.decode(outcome.stored.body or b"") for outcome in outcomes if isinstance(outcome, KeyAlreadyUsed)
    ]
    accepted = {str(outcome.id) for outcome in outcomes if isinstance(outcome, Message)}
    return accepted | {body["data"]["id"] for body in bodies}


async def test_a_keyed_message_in_a_flush_changes_nothing_for_the_others(
    db: CellDb, account: Account, sender: Sender
) -> None:
    """The flush is judged and written by the same statements, without a transaction; the keys are looked up before."""
    counting = CountingDb(db)
    admission = open_admission(counting)

    plain = await flush(admission, [draft(account, sender) for _ in range(8)])
    assert counting.take() == ([READ, WRITE], 0)
    keyed = await flush(admission, [*(draft(account, sender) for _ in range(7)), draft(account, sender, key="k")])
    assert counting.take() == ([LOOK_UP_KEYS, READ, WRITE], 0)

    assert all(isinstance(admitted, Message) for admitted in (*plain, *keyed))
    assert await db.value("SELECT count(*) FROM messages") == 16
    assert await db.value("SELECT count(*) FROM idempotency_keys WHERE status = 202") == 1


async def test_a_flush_of_nothing_but_repeated_keys_reads_and_writes_nothing_else(
    db: CellDb, account: Account, sender: Sender
) -> None:
    counting = CountingDb(db)
    admission = open_admission(counting)
    first = await flush(admission, [draft(account, sender, key="k")])
    counting.take()

    again = await flush(admission, [draft(account, sender, key="k") for _ in range(3)])

    assert counting.take() == ([LOOK_UP_KEYS], 0)
    assert all(isinstance(replay, KeyAlreadyUsed) for replay in again)
    assert message_ids([*first, *again]) == message_ids(first)


async def test_one_key_many_times_through_two_processes_is_one_message(
    db: CellDb, account: Account, sender: Sender
) -> None:
    """Flushes of one process overlap, and two processes race; unkeyed messages among them are each accepted once."""
    admissions = [open_admission(db) for _ in range(2)]

    async def in_waves() -> list[Outcome]:
        asked: list[asyncio.Task[Outcome]] = []
        for index in range(60):
            key = None if index % 3 == 0 else f"key-{index % 4}"
            asked.append(asyncio.create_task(outcome(admissions[index % 2], draft(account, sender, key=key))))
            await asyncio.sleep(0.0002)
        return await asyncio.gather(*asked)

    outcomes = await in_waves()

    assert sum(isinstance(message, Message) for message in outcomes) == 20 + 4
    assert len(message_ids(outcomes)) == 20 + 4
    assert await db.value("SELECT count(*) FROM messages") == 20 + 4
    assert await db.value("SELECT count(*) FROM idempotency_keys") == 4


async def test_a_key_that_another_request_takes_meanwhile_costs_the_others_of_the_flush_nothing(
    db: CellDb, account: Account, sender: Sender
) -> None:
    """The write waits for the other transaction, then fails as a whole, and each message is admitted by itself."""
    admission = open_admission(db)
    async with db.transaction() as tx:
        await idempotency.claim(tx, account.org_id, IdempotencyKey("k", b"b".ljust(idempotency.DIGEST_BYTES)))
        drafts = [draft(account, sender), draft(account, sender, key="k"), draft(account, sender)]
        admitting = asyncio.create_task(flush(admission, drafts))
        async with asyncio.timeout(10):
            while not await db.value("SELECT count(*) FROM pg_locks, pg_sleep(0.005) WHERE NOT granted"):
                pass

    first, keyed, last = await admitting

    assert isinstance(first, Message)
    assert isinstance(keyed, IdempotencyKeyReused)
    assert isinstance(last, Message)
    assert await db.value("SELECT count(*) FROM messages") == 2


async def test_one_key_with_two_bodies_in_one_flush_is_accepted_once(
    db: CellDb, account: Account, sender: Sender
) -> None:
    drafts = [draft(account, sender, key="k", body=body) for body in (b"a", b"b", b"a")]

    first, other, again = await flush(open_admission(db), drafts)

    assert isinstance(first, Message)
    assert isinstance(other, IdempotencyKeyReused)
    assert isinstance(again, KeyAlreadyUsed)
    assert message_ids([again]) == {str(first.id)}
