"""Writing facts and jobs, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import queries
from agentmessage.outbox.event_types import LISTENERS, EventType


async def emit(tx: Executor, org_id: UUID, kind: EventType, resource_id: UUID, data: Any) -> UUID:
    """Write a fact and the jobs that listen to it; answers the event's id (shown as `evt_<id>`).

    `data` is the resource as the API shows it at this moment.
    """
    event_id = new_id()
    await queries.insert_event(
        tx, event_id, org_id, kind=kind.value, family=kind.family, resource_id=resource_id, data=data
    )
    for job in LISTENERS.get(kind, ()):
        await enqueue(tx, job, str(resource_id), {"org_id": str(org_id), "resource_id": str(resource_id)})
    return event_id


async def emit_many(tx: Executor, org_id: UUID, kind: EventType, facts: Sequence[tuple[UUID, Any]]) -> None:
    """As `emit`, for many resources at once: pairs of a resource's id and its data."""
    if not facts:
        return
    ids, data = zip(*facts, strict=True)
    await queries.insert_events(
        tx,
        org_id,
        event_ids=[new_id() for _ in ids],
        kind=kind.value,
        family=kind.family,
        resource_ids=ids,
        data=data,
    )
    for job in LISTENERS.get(kind, ()):
        for resource_id in ids:
            await enqueue(tx, job, str(resource_id), {"org_id": str(org_id), "resource_id": str(resource_id)})


async def enqueue(
    tx: Executor, kind: str, key: str, arguments: Mapping[str, str | int | None], *, delay_s: float = 0.0
) -> None:
    """Write a job. One job exists per (kind, key): a second one only brings the first forward and renews its arguments.

    A job that is running when it is enqueued again runs once more afterwards.
    """
    await queries.upsert_job(tx, kind, key, dict(arguments), tx.now + timedelta(seconds=delay_s))


async def last_event_at(db: Executor, org_id: UUID, family: str) -> datetime | None:
    """When the organization's newest event of a family happened: `meta.last_event_at`."""
    return await queries.newest_event_at(db, org_id, family)


async def tail(
    db: Executor, org_id: UUID, *, after: UUID | None, since: datetime | None, kinds: Sequence[str] | None, limit: int
) -> list[queries.Event]:
    """Facts in an order that never changes, oldest first, after a fact the reader has seen; lossless."""
    return await queries.list_events(db, org_id, after=after, since=since, kinds=kinds, limit=limit)


async def newest_first(
    db: Executor,
    org_id: UUID,
    *,
    before: UUID | None,
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int,
) -> list[queries.Event]:
    """The order of `tail`, read from its end, before an event the reader has seen."""
    return await queries.list_events_backwards(db, org_id, before=before, since=since, kinds=kinds, limit=limit)


class Place(NamedTuple):
    """Where a fact stands in the order of its organization's facts; places compare as the order goes."""

    xid: int
    id: UUID


BEGINNING = Place(0, UUID(int=0))
"""In front of everything."""


def place_of(event: queries.PlacedEvent) -> Place:
    """Where a fact stands."""
    return Place(int(event.xid), event.id)


async def place(db: Executor, org_id: UUID, event_id: UUID) -> Place:
    """Where a fact of an organization stands; the beginning when it is no longer kept."""
    xid = await queries.find_xid(db, org_id, event_id)
    return BEGINNING if xid is None else Place(int(xid), event_id)


async def ends(db: Executor, org_ids: Sequence[UUID]) -> Mapping[UUID, Place]:
    """Behind the newest fact of each organization."""
    found = {end.org_id: Place(int(end.xid), end.id) for end in await queries.list_ends(db, org_ids)}
    return {org_id: found.get(org_id, BEGINNING) for org_id in org_ids}


async def tails(
    db: Executor,
    places: Mapping[UUID, Place],
    *,
    limit: int,
    since: datetime | None = None,
    kinds: Sequence[str] | None = None,
) -> list[queries.PlacedEvent]:
    """As `tail`, of several organizations in one statement; each has a place of its own, and `limit` facts at most."""
    return await queries.list_tails(
        db,
        list(places),
        xids=[str(one.xid) for one in places.values()],
        ids=[one.id for one in places.values()],
        since=since,
        kinds=kinds,
        limit=limit,
    )
