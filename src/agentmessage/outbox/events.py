"""Writes events and jobs in the caller's transaction, and reads events in their order."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import queries
from agentmessage.outbox.event_types import EVENT_JOBS, EventType


async def emit(tx: Executor, org_id: UUID, kind: EventType, resource_id: UUID, data: Any) -> UUID:
    """Writes an event and the jobs that it starts; returns the event's id (shown as `evt_<id>`).

    `data` is the resource as the API shows it at this moment.
    """
    event_id = new_id()
    await queries.insert_event(
        tx, event_id, org_id, kind=kind.value, family=kind.family, resource_id=resource_id, data=data
    )
    for job in EVENT_JOBS.get(kind, ()):
        await enqueue(tx, job, str(resource_id), {"org_id": str(org_id), "resource_id": str(resource_id)})
    return event_id


async def emit_many(tx: Executor, org_id: UUID, kind: EventType, resources: Sequence[tuple[UUID, Any]]) -> None:
    """As `emit`, for many resources: pairs of a resource's id and its data."""
    if not resources:
        return
    ids, data = zip(*resources, strict=True)
    await queries.insert_events(
        tx,
        org_id,
        event_ids=[new_id() for _ in ids],
        kind=kind.value,
        family=kind.family,
        resource_ids=ids,
        data=data,
    )
    for job in EVENT_JOBS.get(kind, ()):
        for resource_id in ids:
            await enqueue(tx, job, str(resource_id), {"org_id": str(org_id), "resource_id": str(resource_id)})


async def enqueue(
    tx: Executor, kind: str, key: str, arguments: Mapping[str, str | int | None], *, delay_s: float = 0.0
) -> None:
    """Writes a job. One job exists per (kind, key): a second one moves the first forward and replaces its arguments.

    A job that is running when it is enqueued again runs once more afterwards.
    """
    await queries.upsert_job(tx, kind, key, dict(arguments), tx.now + timedelta(seconds=delay_s))


async def last_event_at(db: Executor, org_id: UUID, family: str) -> datetime | None:
    """When the organization's newest event of a family happened: `meta.last_event_at`."""
    return await queries.newest_event_at(db, org_id, family)


async def read_after(
    db: Executor, org_id: UUID, *, after: UUID | None, since: datetime | None, kinds: Sequence[str] | None, limit: int
) -> list[queries.Event]:
    """Events in an order that never changes, oldest first, after one the reader has seen. None is missed."""
    return await queries.list_events(db, org_id, after=after, since=since, kinds=kinds, limit=limit)


async def read_before(
    db: Executor,
    org_id: UUID,
    *,
    before: UUID | None,
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int,
) -> list[queries.Event]:
    """Events in the order of `read_after`, newest first, before one the reader has seen."""
    return await queries.list_events_backwards(db, org_id, before=before, since=since, kinds=kinds, limit=limit)


class EventPosition(NamedTuple):
    """The position of an event among its organization's events; a later event has a greater one."""

    xid: int
    id: UUID


BEGINNING = EventPosition(0, UUID(int=0))
"""Before the first event."""


def position_of(event: queries.PositionedEvent) -> EventPosition:
    """The position of an event."""
    return EventPosition(int(event.xid), event.id)


async def find_position(db: Executor, org_id: UUID, event_id: UUID) -> EventPosition:
    """The position of an event; BEGINNING if it is no longer stored."""
    xid = await queries.find_xid(db, org_id, event_id)
    return BEGINNING if xid is None else EventPosition(int(xid), event_id)


async def newest_positions(db: Executor, org_ids: Sequence[UUID]) -> Mapping[UUID, EventPosition]:
    """The position of the newest event of each organization."""
    found = {end.org_id: EventPosition(int(end.xid), end.id) for end in await queries.list_ends(db, org_ids)}
    return {org_id: found.get(org_id, BEGINNING) for org_id in org_ids}


async def read_after_each(
    db: Executor,
    positions: Mapping[UUID, EventPosition],
    *,
    limit: int,
    since: datetime | None = None,
    kinds: Sequence[str] | None = None,
) -> list[queries.PositionedEvent]:
    """As `read_after`, for several organizations in one statement, each from its position, at most `limit` of each."""
    return await queries.list_events_after_each(
        db,
        list(positions),
        xids=[str(position.xid) for position in positions.values()],
        ids=[position.id for position in positions.values()],
        since=since,
        kinds=kinds,
        limit=limit,
    )
