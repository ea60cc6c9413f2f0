"""Messages that were queued when a dump was taken: sent after all, or given up, as the operator decides.

They may have been sent between the dump and its restore. So dropping one does not say that it was not sent: its outcome
is unknown, and nothing is charged.
"""

from collections.abc import Sequence
from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.carriers.messaging import TextError
from agentmessage.delivery import held_message_queries, result_queries
from agentmessage.delivery.held_message_queries import HeldClaim
from agentmessage.delivery.status_queries import Move, move
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.messages.model import Cause, Status

BATCH = 500
DROPPED = "held after a restore and dropped by the operator: it may have been sent"
TOO_LATE = "held after a restore until its validity was over: it may have been sent"


async def drop(db: CellDb, org_id: UUID | None) -> int:
    """Give up what is held, or an organization's; returns how many messages that was."""
    return await _end_all(db, org_id, only_expired=False, text=DROPPED)


async def release(db: CellDb, org_id: UUID | None) -> tuple[int, int]:
    """Put what is held back in the queue, or an organization's; returns how many, and how many were too late for it."""
    too_late = await _end_all(db, org_id, only_expired=True, text=TOO_LATE)
    released = 0
    while batch := await held_message_queries.release(db, org_id, limit=BATCH):
        released += batch
    return released, too_late


async def _end_all(db: CellDb, org_id: UUID | None, *, only_expired: bool, text: str) -> int:
    ended = 0
    while True:
        async with db.transaction() as tx:
            expired_by = tx.now if only_expired else None
            batch = await held_message_queries.pick_held(tx, org_id, expired_by=expired_by, limit=BATCH)
            if batch:
                await _end(tx, batch, text)
        ended += len(batch)
        if len(batch) < BATCH:
            return ended


async def _end(tx: Tx, batch: Sequence[HeldClaim], text: str) -> None:
    await billing.lock(tx, {one.org_id for one in batch})
    ids = [one.message_id for one in batch]
    dropped = set(await result_queries.drop_claims(tx, held_message_queries.HOLDER, ids))
    mine = [one for one in batch if one.message_id in dropped]
    freed: dict[UUID, int] = {}
    for one in mine:
        freed[one.org_id] = freed.get(one.org_id, 0) + one.price_microcents
    if mine:
        await result_queries.settle(tx, list(freed), list(freed.values()))
        await move(tx, [_unknown(one, text) for one in mine])


def _unknown(claim: HeldClaim, text: str) -> Move:
    return Move(
        message_id=claim.message_id,
        org_id=claim.org_id,
        status=Status.UNDELIVERED.value,
        cause=Cause.OUTCOME_UNKNOWN.value,
        error=TextError.UNKNOWN.value,
        text=text,
    )
