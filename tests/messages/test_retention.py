"""What is past its retention is redacted wherever it lies, and nothing younger is ever touched."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.media import queries as media_queries
from agentmessage.media.store import LocalStore, StoreAway
from agentmessage.messages import retention
from tests.make.accounts import Account
from tests.make.said import PICTURE, SECRET, Said, content, queue, say

CONTACT = "+14155550177"
NUMBER = new_id()
WHOLE, GONE = (SECRET, [], False), (None, [], True)
PICTURED, STRIPPED = (SECRET, [PICTURE], False), (SECRET, [], False)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


async def keep(db: CellDb, org_id: UUID, *, days: int = 90, mms_days: int = 365) -> None:
    """Set how long an organization keeps content, and let its next sweep be due."""
    await db.run(
        "UPDATE organizations SET message_retention_days = $2, mms_retention_days = $3 WHERE id = $1",
        org_id,
        days,
        mms_days,
    )
    await db.run("UPDATE retention_progress SET swept_at = '-infinity' WHERE org_id = $1", org_id)


async def said(db: CellDb, account: Account, days: float, **given: Any) -> Said:
    return await say(
        db, account.org_id, NUMBER, contact=given.pop("contact", CONTACT), age=timedelta(days=days), **given
    )


@pytest.mark.parametrize("is_inbound", [False, True])
async def test_a_message_past_its_retention_is_redacted_and_a_younger_one_is_not(
    db: CellDb, account: Account, store: LocalStore, *, is_inbound: bool
) -> None:
    await keep(db, account.org_id, days=90)
    old = await said(db, account, 90.001, is_inbound=is_inbound, with_media=True)
    young = await said(db, account, 89.999, is_inbound=is_inbound, with_media=True)

    redacted = await retention.sweep(db, store)

    assert redacted == 1
    assert await content(db, old) == GONE
    assert await content(db, young) == PICTURED


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_was_said_when_exactly_what_is_too_old_is_redacted(
    db: CellDb, account: Account, stranger: Account, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two organizations with ages around both retentions, several sweeps, batches of a few messages."""
    chance, store, other = random.Random(seed), LocalStore(Path("/nonexistent")), stranger
    monkeypatch.setattr(retention, "BATCH_SIZE", chance.randint(1, 7))
    monkeypatch.setattr(retention, "MAX_BATCHES", 1000)
    kept = {who.org_id: (chance.randint(30, 365), chance.randint(30, 365)) for who in (account, other)}
    messages: list[tuple[Account, Said, bool]] = []
    for _ in range(60):
        who = chance.choice((account, other))
        age = chance.choice(kept[who.org_id]) + chance.choice((-40.0, -0.01, 0.01, 40.0))
        has_media = chance.random() < 0.5
        one = await said(db, who, max(age, 0), is_inbound=chance.random() < 0.5, with_media=has_media)
        messages.append((who, one, has_media))
    for org_id, (days, mms_days) in kept.items():
        await keep(db, org_id, days=days, mms_days=mms_days)

    for _ in range(2):
        await retention.sweep(db, store)
        await db.run("UPDATE retention_progress SET swept_at = '-infinity'")

    for who, one, has_media in messages:
        days, mms_days = kept[who.org_id]
        whole = PICTURED if has_media else WHOLE
        expected = GONE if one.age > timedelta(days=days) else STRIPPED if one.age > timedelta(days=mms_days) else whole
        assert await content(db, one) == expected


async def test_the_preview_of_a_conversation_goes_with_its_last_message(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    await keep(db, account.org_id, days=30)
    await said(db, account, 31, contact="+14155550171")
    await said(db, account, 31, contact="+14155550172", is_inbound=True)
    await said(db, account, 31, contact="+14155550173")
    await said(db, account, 29, contact="+14155550173", is_inbound=True)

    await retention.sweep(db, store)

    shown = await db.all(
        lambda *row: row,
        "SELECT last_preview, redacted_at IS NOT NULL, message_count FROM conversations ORDER BY contact_number",
    )
    assert shown == [("[redacted]", True, 1), ("[redacted]", True, 1), (SECRET, False, 2)]


async def test_a_shorter_retention_acts_at_the_next_sweep_and_a_longer_one_brings_nothing_back(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    messages = [await said(db, account, days) for days in (100, 50)]
    await keep(db, account.org_id, days=90)
    first = await retention.sweep(db, store)
    await keep(db, account.org_id, days=30)
    second = await retention.sweep(db, store)
    await keep(db, account.org_id, days=365)
    third = await retention.sweep(db, store)

    assert (first, second, third) == (1, 1, 0)
    assert [await content(db, text) for text in messages] == [GONE, GONE]


async def test_a_message_that_waits_to_be_sent_keeps_its_words_until_it_was_sent(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    await keep(db, account.org_id, days=30)
    waiting, after = await said(db, account, 31, was_sent=False), await said(db, account, 30.5)
    await queue(db, account.org_id, waiting.id)
    await retention.sweep(db, store)
    while_waiting = [await content(db, waiting), await content(db, after)]

    await db.run("DELETE FROM message_queue")
    await keep(db, account.org_id, days=30)
    await retention.sweep(db, store)

    assert while_waiting == [WHOLE, GONE]
    assert await content(db, waiting) == GONE


async def test_a_message_that_another_transaction_has_locked_is_left_for_the_next_sweep(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    await keep(db, account.org_id, days=30)
    busy, idle = await said(db, account, 31), await said(db, account, 31)
    async with db.transaction() as tx:
        await tx.run("UPDATE messages SET updated_at = $2 WHERE id = $1", busy.id, tx.now)
        first = await retention.sweep(db, store)
    await keep(db, account.org_id, days=30)

    second = await retention.sweep(db, store)

    assert (first, second) == (1, 1)
    assert [await content(db, message) for message in (busy, idle)] == [GONE, GONE]


async def test_a_sweep_looks_only_at_what_the_last_one_left(
    db: CellDb, account: Account, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (100, 99, 98, 10):
        await said(db, account, days)
    await retention.sweep(db, store)
    looked_at = 0
    listed = retention.OUTBOUND.list_aged

    async def count(*args: Any, **given: Any) -> Any:
        nonlocal looked_at
        found = await listed(*args, **given)
        looked_at += len(found)
        return found

    monkeypatch.setattr(
        retention, "OUTBOUND", type(retention.OUTBOUND)(**{**_fields(retention.OUTBOUND), "list_aged": count})
    )
    await keep(db, account.org_id)

    await retention.sweep(db, store)

    assert looked_at == 0


def _fields(direction: retention.Direction) -> dict[str, Any]:
    return {name: getattr(direction, name) for name in direction.__struct_fields__}


async def test_an_organization_is_swept_once_in_a_while_and_by_one_worker(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    await said(db, account, 100)
    first = await retention.sweep(db, store)
    await said(db, account, 100)

    at_once = await retention.sweep(db, store)

    assert (first, at_once) == (1, 0)


async def test_a_long_backlog_is_shared_over_several_turns(
    db: CellDb, account: Account, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 2)
    monkeypatch.setattr(retention, "MAX_BATCHES", 2)
    for days in range(100, 107):
        await said(db, account, days)
    counts: list[int] = []
    for _ in range(3):
        counts.append(await retention.sweep(db, store))
        await db.run("UPDATE retention_progress SET swept_at = swept_at - interval '1 minute'")

    assert counts == [4, 3, 0]


async def insert_file(db: CellDb, org_id: UUID, store: LocalStore, *, days: float, needed_days: float = 0) -> str:
    """The key of a file that was stored so long ago."""
    key = f"{org_id}/00/{new_id()}"
    await store.put(key, b"x", mime_type="image/png")
    await db.run(
        """INSERT INTO media (id, org_id, mime_type, byte_size, state, object_key, created_at, stored_at, expires_at,
               needed_until)
           VALUES ($1, $2, 'image/png', 1, 'stored', $3, $4, $4, $4::timestamptz + interval '365 days', $5)""",
        UUID(key[-36:]),
        org_id,
        key,
        db.now - timedelta(days=days),
        db.now + timedelta(days=needed_days) if needed_days else None,
    )
    return key


async def test_files_end_with_the_retention_of_media_but_not_while_a_message_needs_them(
    db: CellDb, account: Account, store: LocalStore
) -> None:
    old = await insert_file(db, account.org_id, store, days=31)
    young = await insert_file(db, account.org_id, store, days=29)
    needed = await insert_file(db, account.org_id, store, days=31, needed_days=1)
    await keep(db, account.org_id, mms_days=30)

    await retention.sweep(db, store)

    assert [await store.get(key) for key in (old, young, needed)] == [None, b"x", b"x"]
    assert await db.value("SELECT count(*) FROM media") == 2


class Away(LocalStore):
    """Refuses to delete."""

    async def delete(self, key: str) -> None:
        raise StoreAway(key)


async def test_a_file_whose_bytes_could_not_be_deleted_is_not_forgotten(
    db: CellDb, account: Account, tmp_path: Path
) -> None:
    store = Away(tmp_path)
    await insert_file(db, account.org_id, store, days=400)

    await retention.sweep(db, store)

    assert len(await media_queries.list_expired(db, db.now, limit=10)) == 1
