"""The organization's events, as pages and as a stream."""

from uuid import UUID

from msgspec import UNSET

from agentmessage.events import operations, queries
from agentmessage.events.operations import Filter
from agentmessage.events.schemas import EventOrder, EventQuery, EventResource
from agentmessage.events.stream import StreamServices, frames
from agentmessage.kernel.errors import RateLimited, ValidationFailed
from agentmessage.web import cursors, pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.streams import EVENTS, EventStream, prefers
from agentmessage.web.types import Page, in_utc

routes = Routes("Events", needs=StreamServices)

STREAM_EXAMPLE = (
    "id: evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11\n"
    "event: phone_number.campaign.detached\n"
    'data: {"id":"evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11","type":"phone_number.campaign.detached",'
    '"api_version":"2026-04-01","created_at":"2026-04-26T12:00:00Z",'
    '"org_id":"01978a3e-0000-7000-8000-000000000001","data":{"id":"7c1f0a2d-9e8b-4c3a-9d2e-1f0a2b3c4d5e"}}\n\n'
)


@routes.route(
    "GET",
    "/v1/events",
    scope="events:read",
    answers={200: EventResource},
    refuses=[ValidationFailed, RateLimited],
    is_list=True,
    streams=STREAM_EXAMPLE,
)
async def list_events(call: Call[NoInput, EventQuery], services: StreamServices) -> Page[EventResource] | EventStream:
    """List what happened, oldest first unless order=desc, or follow it.

    With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that begins where the list would and
    goes on with what happens next. The header `Last-Event-ID: evt_…` resumes behind an event without loss, in the
    stream and in the list; it wins over `cursor`. A stream is always oldest first; a key may have 100 open at once, an
    organization 200. Events are kept for 90 days.
    """
    query = call.query
    wanted = Filter(
        None if query.type is UNSET else query.type,
        None if query.since is UNSET else in_utc(query.since, "since"),
    )
    seen = await _place(call)
    is_newest_first = query.order is EventOrder.NEWEST_FIRST
    if prefers(call.headers.get("accept"), EVENTS):
        if is_newest_first:
            raise ValidationFailed({"order": "must be asc in a stream"})
        streams = services.event_streams
        who = (call.tenant.org_id, call.tenant.actor_label)
        streams.begin(*who)
        return EventStream(frames(call, services, wanted, seen), on_end=lambda: streams.end(*who))
    if is_newest_first and seen is None and call.query.cursor is not UNSET:
        events = []  # the cursor's event is past its retention, and so is all that came before it
    else:
        read = operations.before if is_newest_first else operations.after
        events = await read(call.db, call.tenant, wanted, seen=seen, limit=pagination.lookahead(query.limit))
    newest_at = await queries.newest_at(call.db, call.tenant.org_id)
    return pagination.page_of(
        events,
        query.limit,
        show=EventResource.of,
        key=lambda event: (event.created_at, event.id),
        last_event_at=newest_at,
    )


async def _place(call: Call[NoInput, EventQuery]) -> UUID | None:
    last_event_id = call.headers.get("last-event-id")
    if last_event_id:
        return await operations.place(call.db, call.tenant, last_event_id, field="Last-Event-ID")
    if call.query.cursor is UNSET:
        return None
    return await operations.place(call.db, call.tenant, cursors.decode(call.query.cursor).id, field="cursor")
