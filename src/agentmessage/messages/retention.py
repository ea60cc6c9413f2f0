"""Redacts what has outlived an organization's retention; nothing younger is ever touched.

A sweep goes through the texts of one organization from where the last one ended, oldest first, in batches of 1000,
each a transaction. A text that still waits to be sent, or that somebody is just changing, is left alone and holds the
mark back, so that a later sweep looks at it again.
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

BATCH = 1000
MAX_BATCHES = 50
"""With something to redact, of one organization's turn, so that another's comes."""

SOON = timedelta(seconds=20)
"""Before the next turn of an organization whose last one was cut short."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LOWEST = UUID(int=0)


class ListAged(Protocol):
    """How one direction's texts are listed."""

    def __call__(
        self, db: Executor, org_id: UUID, *, after: tuple[datetime, UUID], before: datetime, limit: int
    ) -> Awaitable[list[Aged]]:
        """Texts behind a place and older than an instant, oldest first."""
        ...


class Redact(Protocol):
    """How content is taken out of one direction's texts."""

    def __call__(self, tx: Tx, org_id: UUID, ids: Sequence[UUID], /, *, keeps_text: bool) -> Awaitable[int]:
        """Redact texts that are locked; answers how many had any content."""
        ...


class Mark(Protocol):
    """Where it is written down how far one direction's sweeps have come."""

    def __call__(self, tx: Tx, org_id: UUID, *, until: datetime, keeps_text: bool) -> Awaitable[None]:
        """Everything older than `until` is redacted."""
        ...


class Direction(Struct, frozen=True, kw_only=True):
    """What differs between texts out and texts in."""

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


class Track(Struct, frozen=True, kw_only=True):
    """One way through the texts of an organization: from a mark to an age."""

    direction: Direction
    days: int
    since: datetime | None
    keeps_text: bool


async def sweep(db: CellDb, store: media.ObjectStore) -> int:
    """Give every organization of a cell its turn that is due, then delete files; answers how many texts were redacted.

    Two workers never sweep one organization at a time, and it would be harmless.
    """
    redacted = 0
    began = db.now
    while (turn := await queries.take_turn(db, swept_before=began - EVERY)) is not None:
        await media.shorten(db, turn.org_id, days=turn.mms_days)
        for track in _tracks(turn):
            redacted += await _follow(db, turn.org_id, track)
    await media.delete_expired(db, store)
    return redacted


def _tracks(turn: Sweep) -> Sequence[Track]:
    """Content by the one age, and media by the other where that is shorter."""
    content = [
        Track(direction=OUTBOUND, days=turn.message_days, since=turn.messages_until, keeps_text=False),
        Track(direction=INBOUND, days=turn.message_days, since=turn.inbound_until, keeps_text=False),
    ]
    if turn.mms_days >= turn.message_days:
        return content
    return [
        *content,
        Track(direction=OUTBOUND, days=turn.mms_days, since=turn.message_media_until, keeps_text=True),
        Track(direction=INBOUND, days=turn.mms_days, since=turn.inbound_media_until, keeps_text=True),
    ]


async def _follow(db: CellDb, org_id: UUID, track: Track) -> int:
    """Redact from a mark to an age, at most `MAX_BATCHES` of it."""
    before = db.now - timedelta(days=track.days)
    place = (track.since or BEGINNING, LOWEST)
    held: datetime | None = None
    redacted = batches = 0
    while place[0] < before:
        if batches == MAX_BATCHES:
            await queries.shorten_wait(db, org_id, swept_at=db.now - EVERY + SOON)
            break
        aged = await track.direction.list_aged(db, org_id, after=place, before=before, limit=BATCH)
        async with db.transaction() as tx:
            ids = [one.id for one in aged if not one.is_waiting]
            locked = set(await track.direction.lock(tx, org_id, ids))
            count = await track.direction.redact(tx, org_id, sorted(locked), keeps_text=track.keeps_text)
            held = held or next((one.at for one in aged if one.id not in locked), None)
            place = (aged[-1].at, aged[-1].id) if len(aged) == BATCH else (before, LOWEST)
            await track.direction.mark(tx, org_id, until=held or place[0], keeps_text=track.keeps_text)
        redacted += count
        batches += bool(count)
    return redacted
