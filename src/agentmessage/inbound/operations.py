"""The way in for texts, and what other rooms may do with those that came."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from agentmessage.carriers.text_port import InboundHeard
from agentmessage.inbound import applying, queries, rules
from agentmessage.inbound.model import Inbound, PartsKey, Problem, RawText
from agentmessage.kernel.db import DATABASE_AWAY, CellDb, Cells, Statements
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.outbox import facts
from agentmessage.outbox.bells import Ring

log = structlog.get_logger("agentmessage.inbound")

AT_ONCE = 8
"""Conversations that are received side by side; a worker has connections for more."""

TRIES = 2
"""A transaction that loses a deadlock is begun once more before it counts as a fault of ours."""

APPLY_JOB = "inbound.apply"
PARTS_WAIT = timedelta(minutes=10)
RAW_KEPT = timedelta(days=30)
MOST_STALE = 200


async def receive(
    cells: Cells, account: str, heard: Sequence[InboundHeard], *, ring: Ring, requires_propagation: bool = True
) -> None:
    """Take texts from a carrier account; returns when every one is kept, so that the carrier may be told so.

    Each is a transaction of its own; those of one contact to one number go in their order. Raises what the database
    raises when it is away: some may be kept by then, and that the carrier repeats all of them is harmless.
    """
    turns: dict[tuple[str, str], list[InboundHeard]] = {}
    for one in heard:
        plain = rules.heard_plainly(one)
        turns.setdefault((plain.sender, plain.recipient), []).append(plain)
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(texts: Sequence[InboundHeard]) -> None:
        async with gate:
            for text in texts:
                await _receive_one(cells, account, text, ring=ring, strict=requires_propagation)

    ended = await asyncio.gather(*(in_turn(texts) for texts in turns.values()), return_exceptions=True)
    for outcome in ended:
        if outcome is not None:
            raise outcome


async def apply_again(db: CellDb, raw_id: UUID, *, requires_propagation: bool) -> bool:
    """Apply a kept text that failed; False: it was applied meanwhile. Raises what it fails with this time."""
    async with db.transaction() as tx:
        kept = await queries.lock_failed(tx, raw_id)
        if kept is None:
            return False
        heard = msgspec.convert(kept.heard, InboundHeard)
        home = await queries.find_home(tx, kept.account, heard.recipient)
        await queries.delete_raw(tx, raw_id)
        if home is None or home.cell != db.name:
            await queries.insert_raw(tx, RawText.of(kept.account, heard), org_id=None, problem=Problem.NOT_OURS)
            return True
        tenant = operator(home.org_id, home.cell, kept.account)
        await applying.apply(tx, tenant, heard, strict=requires_propagation)
    return True


async def tidy(db: CellDb, *, requires_propagation: bool) -> None:
    """Show long texts whose parts stay away, and forget raw ones past their retention; in bounded bites."""
    for key in await queries.list_stale_parts(db, db.now - PARTS_WAIT, limit=MOST_STALE):
        await _show_parts(db, key, strict=requires_propagation)
    await queries.delete_raw_before(db, db.now - RAW_KEPT)


async def count_problems(db: Statements, since: datetime) -> Mapping[str, int]:
    """How many texts were kept but not applied, by why."""
    return await queries.count_problems(db, since)


async def get(db: Statements, tenant: Tenant, inbound_id: UUID) -> Inbound:
    """One text of the tenant's. Raises NotFound."""
    inbound = await queries.find(db, tenant.org_id, inbound_id)
    if inbound is None:
        raise NotFound
    return inbound


async def _receive_one(cells: Cells, account: str, heard: InboundHeard, *, ring: Ring, strict: bool) -> None:
    directory = await cells.directory()
    home = await queries.find_home(directory, account, heard.recipient)
    if home is None:
        log.info("a text for a number that is not ours", account=account, carrier=heard.carrier)
        await queries.insert_raw(directory, RawText.of(account, heard), org_id=None, problem=Problem.NOT_OURS)
        return
    db = await cells.cell(home.cell)
    tenant = operator(home.org_id, home.cell, account)
    for bell in await _apply(db, tenant, heard, strict=strict):
        ring(home.cell, bell)


async def _apply(db: CellDb, tenant: Tenant, heard: InboundHeard, *, strict: bool) -> frozenset[str]:
    """Apply one text; one that cannot be is kept for the job, so that it holds up no other and is not lost."""
    for attempt in range(1, TRIES + 1):
        try:
            async with db.transaction() as tx:
                return await applying.apply(tx, tenant, heard, strict=strict)
        except DATABASE_AWAY:
            raise
        except Exception:
            log.exception("a text was not applied", org_id=str(tenant.org_id), attempt=attempt)
    async with db.transaction() as tx:
        raw = RawText.of(tenant.account, heard)
        plain: Any = msgspec.to_builtins(msgspec.structs.replace(heard, text=rules.storable(heard.text)))
        raw_id = await queries.insert_raw(tx, raw, org_id=tenant.org_id, problem=Problem.FAILED, heard=plain)
        if raw_id is not None:
            await facts.enqueue(tx, APPLY_JOB, str(raw_id), {"raw_id": str(raw_id)}, delay_s=1.0)
    return frozenset({"jobs"})


async def _show_parts(db: CellDb, key: PartsKey, *, strict: bool) -> None:
    home = await queries.find_home(db, key.account, key.recipient)
    async with db.transaction() as tx:
        if home is None or home.cell != db.name:
            await queries.delete_parts(tx, key)
            return
        tenant = operator(home.org_id, home.cell, key.account)
        await applying.apply_parts(tx, tenant, key, strict=strict)
