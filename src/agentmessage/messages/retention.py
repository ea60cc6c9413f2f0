"""Redacts messages that are older than an organization's retention; nothing younger is ever touched.

A sweep reads the messages of one organization from where the last sweep ended, oldest first, in batches of a thousand,
each a transaction. A message that is still queued, or locked by another transaction, is skipped and holds the mark
back, so that a later sweep reads it again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import CellDb, Executor, Tx
from agentmessage.media import operations as media
from agentmessage.messages import redaction
from agentmessage.messages import retention_queries as queries
from agentmessage.messages.retention_queries import Aged, Sweep

EVERY = timedelta(minutes=10)
"""Between two sweeps of one organization; a shortened retention acts at the next one."""

BATCH_SIZE = 1000
MAX_BATCHES = 50
"""Batches with something to redact, before the next organization has its turn."""

SOON = timedelta(seconds=20)
"""Until the next turn of an organization whose last turn reached `MAX_BATCHES`."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LOWEST = UUID(int=0)


class ListAged(Protocol):
    """Lists the messages of one direction."""

    def __call__(
        self, db: Executor, org_id: UUID, *, after: tuple[datetime, UUID], before: datetime, limit: int
    ) -> Awaitable[list[Aged]]:
        """Messages after a position and older than an instant, oldest first."""
        ...


class Redact(Protocol):
    """Removes the content of messages of one direction."""

    def __call__(self, tx: Tx, org_id: UUID, ids: Sequence[UUID], /, *, keeps_text: bool) -> Awaitable[int]:
        """Redact messages that are locked; returns how many had any content."""
        ...


class Mark(Protocol):
    """Stores how far the sweeps of one direction have come."""

    def __call__(self, tx: Tx, org_id: UUID, *, until: datetime, keeps_text: bool) -> Awaitable[None]:
        """All messages older than `until` are redacted."""
        ...


class Direction(Struct, frozen=True, kw_only=True):
    """The statements of outbound or inbound messages."""

    list_aged: ListAged
    lock: Callable[[Tx, UUID, Sequence[UUID]], Awaitable[list[UUID]]]
    redact: Redact
    mark: Mark


OUTBOUND = Direction(
    list_aged=queries.list_messages,
    lock=queries.lock_messages,
    redact=redaction.redact_messages,
    mark=queries.mark_messages,
)
INBOUND = Direction(
    list_aged=queries.list_inbound,
    lock=queries.lock_inbound,
    redact=redaction.redact_inbound,
    mark=queries.mark_inbound,
)


class Pass(Struct, frozen=True, kw_only=True):
    """One pass over the messages of an organization: from a mark to an age."""

    direction: Direction
    days: int
    since: datetime | None
    keeps_text: bool


async def sweep(db: CellDb, store: media.ObjectStore) -> int:
    """Sweep every organization of a cell that is due, then delete files; returns how many messages were redacted.

    Two workers never sweep one organization at the same time, and it would be harmless.
    """
    redacted = 0
    began = db.now
    while (turn := await queries.take_turn(db, swept_before=began - EVERY)) is not None:
        await media.shorten(db, turn.org_id, days=turn.mms_days)
        for sweep_pass in _passes(turn):
            redacted += await _redact(db, turn.org_id, sweep_pass)
    await media.delete_expired(db, store)
    return redacted


def _passes(turn: Sweep) -> Sequence[Pass]:
    """Text and media by the message retention, and media by its own retention where that is shorter."""
    content = [
        Pass(direction=OUTBOUND, days=turn.message_days, since=turn.messages_until, keeps_text=False),
        Pass(direction=INBOUND, days=turn.message_days, since=turn.inbound_until, keeps_text=False),
    ]
    if turn.mms_days >= turn.message_days:
        return content
    return [
        *content,
        Pass(direction=OUTBOUND, days=turn.mms_days, since=turn.message_media_until, keeps_text=True),
        Pass(direction=INBOUND, days=turn.mms_days, since=turn.inbound_media_until, keeps_text=True),
    ]


async def _redact(db: CellDb, org_id: UUID, sweep_pass: Pass) -> int:
    """Redact from a mark to an age, at most `MAX_BATCHES`."""
    before = db.now - timedelta(days=sweep_pass.days)
    position = (sweep_pass.since or BEGINNING, LOWEST)
    oldest_skipped: datetime | None = None
    redacted = batches = 0
    while position[0] < before:
        if batches == MAX_BATCHES:
            await queries.shorten_wait(db, org_id, swept_at=db.now - EVERY + SOON)
            break
        aged = await sweep_pass.direction.list_aged(db, org_id, after=position, before=before, limit=BATCH_SIZE)
        async with db.transaction() as tx:
            ids = [message.id for message in aged if not message.is_waiting]
            locked = set(await sweep_pass.direction.lock(tx, org_id, ids))
            count = await sweep_pass.direction.redact(tx, org_id, sorted(locked), keeps_text=sweep_pass.keeps_text)
            oldest_skipped = oldest_skipped or next((message.at for message in aged if message.id not in locked), None)
            position = (aged[-1].at, aged[-1].id) if len(aged) == BATCH_SIZE else (before, LOWEST)
            await sweep_pass.direction.mark(
                tx, org_id, until=oldest_skipped or position[0], keeps_text=sweep_pass.keeps_text
            )
        redacted += count
        batches += bool(count)
    return redacted
