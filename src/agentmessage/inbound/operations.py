"""The way in for texts, and what other rooms may do with those that came."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from agentmessage.carriers.messaging import InboundHeard
from agentmessage.inbound import processing, queries, rules
from agentmessage.inbound.model import Home, Inbound, PartsKey, Problem, RawText
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells, Executor
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.notifications import Ring

log = structlog.get_logger("agentmessage.inbound")

AT_ONCE = 8
"""Organizations whose texts are taken side by side; a worker has connections for more."""

TOGETHER = 25
"""Texts of one transaction: it holds the organization's wallet, for which admissions wait."""

TRIES = 2
"""A text alone that loses a deadlock is tried once more before it counts as a fault of ours."""

SOON_S = 1.0

APPLY_JOB = "inbound.apply"
PARTS_WAIT = timedelta(minutes=10)
RAW_KEPT = timedelta(days=30)
MOST_STALE = 200


async def receive(
    cells: Cells,
    account: str,
    heard: Sequence[InboundHeard],
    *,
    ring: Ring,
    requires_propagation: bool = True,
    floor_cents: int = processing.FLOOR_CENTS,
) -> None:
    """Take texts from a carrier account; returns when every one is kept, so that the carrier may be told so.

    Those of one organization are taken in their order, a few to a transaction; one that cannot be applied holds up no
    other. Raises what the database raises when it is away: some may be kept by then, and that the carrier repeats all
    of them is harmless. Nothing is charged that would take a wallet below `floor_cents`.
    """
    plain = [rules.heard_plainly(one) for one in heard]
    directory = await cells.directory()
    homes = await queries.list_homes(directory, account, sorted({one.recipient for one in plain}))
    strays = [RawText.of(new_id(), account, one) for one in plain if one.recipient not in homes]
    if strays:
        log.info("inbound messages not assigned", account=account, count=len(strays))
        await queries.insert_raw(directory, strays, org_id=None, problem=Problem.NOT_OURS)
    by_home: dict[Home, list[InboundHeard]] = {}
    for one in plain:
        if one.recipient in homes:
            by_home.setdefault(homes[one.recipient], []).append(one)
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(home: Home, texts: Sequence[InboundHeard]) -> None:
        async with gate:
            db = await cells.cell(home.cell)
            tenant = operator(home.org_id, home.cell, account)
            for start in range(0, len(texts), TOGETHER):
                few = texts[start : start + TOGETHER]
                for bell in await _apply(db, tenant, few, strict=requires_propagation, floor_cents=floor_cents):
                    ring(home.cell, bell)

    ended = await asyncio.gather(*(in_turn(*one) for one in by_home.items()), return_exceptions=True)
    for outcome in ended:
        if outcome is not None:
            raise outcome


async def apply_again(
    db: CellDb, raw_id: UUID, *, requires_propagation: bool, floor_cents: int = processing.FLOOR_CENTS
) -> bool:
    """Apply a kept text that failed; False: it was applied meanwhile. Raises what it fails with this time."""
    async with db.transaction() as tx:
        kept = await queries.lock_failed(tx, raw_id)
        if kept is None:
            return False
        heard = msgspec.convert(kept.parsed, InboundHeard)
        home = (await queries.list_homes(tx, kept.account, [heard.recipient])).get(heard.recipient)
        await queries.delete_raw(tx, raw_id)
        if home is None or home.cell != db.name:
            stray = RawText.of(raw_id, kept.account, heard)
            await queries.insert_raw(tx, [stray], org_id=None, problem=Problem.NOT_OURS)
            return True
        tenant = operator(home.org_id, home.cell, kept.account)
        await processing.apply(tx, tenant, [heard], strict=requires_propagation, floor_cents=floor_cents)
    return True


async def tidy(db: CellDb, *, requires_propagation: bool, floor_cents: int = processing.FLOOR_CENTS) -> None:
    """Show long texts whose parts stay away, at most 200 at a time."""
    for key in await queries.list_stale_parts(db, db.now - PARTS_WAIT, limit=MOST_STALE):
        await _show_parts(db, key, strict=requires_propagation, floor_cents=floor_cents)


async def forget_raw(db: Executor) -> int:
    """Forget raw texts past their retention, at most 10,000 at a time; answers how many."""
    return await queries.delete_raw_before(db, db.now - RAW_KEPT)


async def count_problems(db: Executor, since: datetime) -> Mapping[str, int]:
    """How many texts were kept but not applied, by why."""
    return await queries.count_problems(db, since)


async def get(db: Executor, tenant: Tenant, inbound_id: UUID) -> Inbound:
    """One text of the tenant's. Raises NotFound."""
    inbound = await queries.find(db, tenant.org_id, inbound_id)
    if inbound is None:
        raise NotFound
    return inbound


async def _apply(
    db: CellDb, tenant: Tenant, heard: Sequence[InboundHeard], *, strict: bool, floor_cents: int
) -> frozenset[str]:
    """Apply texts together, else each alone; one that cannot be is kept for the job, so that it is not lost."""
    for _ in range(TRIES if len(heard) == 1 else 1):
        try:
            async with db.transaction() as tx:
                return await processing.apply(tx, tenant, heard, strict=strict, floor_cents=floor_cents)
        except DATABASE_UNAVAILABLE:
            raise
        except Exception:
            log.exception("inbound messages not processed", org_id=str(tenant.org_id), count=len(heard))
    if len(heard) == 1:
        return await _keep_for_later(db, tenant, heard[0])
    bells = processing.NOTHING
    for one in heard:
        bells |= await _apply(db, tenant, [one], strict=strict, floor_cents=floor_cents)
    return bells


async def _keep_for_later(db: CellDb, tenant: Tenant, heard: InboundHeard) -> frozenset[str]:
    plain: Any = msgspec.to_builtins(msgspec.structs.replace(heard, text=rules.storable(heard.text)))
    raw = RawText.of(new_id(), tenant.account, heard)
    async with db.transaction() as tx:
        if await queries.insert_raw(tx, [raw], org_id=tenant.org_id, problem=Problem.FAILED, parsed=plain):
            await outbox_events.enqueue(tx, APPLY_JOB, str(raw.id), {"raw_id": str(raw.id)}, delay_s=SOON_S)
    return frozenset({"jobs"})


async def _show_parts(db: CellDb, key: PartsKey, *, strict: bool, floor_cents: int) -> None:
    home = (await queries.list_homes(db, key.account, [key.recipient])).get(key.recipient)
    async with db.transaction() as tx:
        if home is None or home.cell != db.name:
            await queries.delete_parts(tx, key)
            return
        tenant = operator(home.org_id, home.cell, key.account)
        await processing.apply_parts(tx, tenant, key, strict=strict, floor_cents=floor_cents)
