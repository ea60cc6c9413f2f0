"""Texts in, over HTTP: list, get, wait."""

from msgspec import UNSET, UnsetType

from agentmessage.inbound import operations, queries
from agentmessage.inbound.long_poll import WaitServices, wait
from agentmessage.inbound.schemas import InboundOut, InboundQuery, WaitQuery
from agentmessage.kernel.errors import NotFound, RateLimited, ValidationFailed
from agentmessage.outbox import events as outbox_events
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, Response, in_utc

routes = Routes("Inbound messages", needs=WaitServices)


@routes.route(
    "GET",
    "/v1/inbound-messages",
    scope="messages:read",
    answers={200: InboundOut},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_inbound_messages(call: Call[NoInput, InboundQuery]) -> Page[InboundOut]:
    """List the texts that came in, newest first."""
    query, org_id = call.query, call.tenant.org_id
    start = pagination.start_of(query.cursor)
    rows = await queries.list_(
        call.db,
        org_id,
        before_at=start.at,
        before_id=start.id,
        sender=_given(query.from_),
        recipient=_given(query.to),
        phone_number_id=None if query.phone_number_id is UNSET else query.phone_number_id,
        channel=None if query.channel is UNSET else query.channel.value,
        opt_out=None if query.opt_out is UNSET else query.opt_out,
        since=None if query.since is UNSET else in_utc(query.since, "since"),
        limit=pagination.lookahead(query.limit),
    )
    newest_at = await outbox_events.last_event_at(call.db, org_id, "inbound_message")
    return pagination.page_of(
        rows, query.limit, show=InboundOut.of, key=lambda row: (row.received_at, row.id), last_event_at=newest_at
    )


@routes.route(
    "GET",
    "/v1/inbound-messages/wait",
    scope="messages:read",
    answers={200: InboundOut | None},
    refuses=[ValidationFailed, RateLimited],
)
async def wait_for_inbound_message(
    call: Call[NoInput, WaitQuery], services: WaitServices
) -> Response[InboundOut | None]:
    """Wait for a text.

    Answers as soon as one has come that fits, else `data: null` after `timeout_s`, and after 50 s at the latest.
    Without `since` it is the first that comes after the request; with `since` the oldest received after that time, so
    that a loop which sends the `received_at` of the last one misses none of a conversation (`from` and `to` given).
    One key can wait 100 times at once.
    """
    query = call.query
    since = None if query.since is UNSET else in_utc(query.since, "since")
    found = await wait(call, services, sender=_given(query.from_), recipient=_given(query.to), since=since)
    return Response(200, None if found is None else InboundOut.of(found))


@routes.route("GET", "/v1/inbound-messages/{id}", scope="messages:read", answers={200: InboundOut}, refuses=[NotFound])
async def get_inbound_message(call: Call[NoInput, NoInput]) -> InboundOut:
    """Read one text that came in."""
    return InboundOut.of(await operations.get(call.db, call.tenant, call.id))


def _given(text: str | UnsetType) -> str | None:
    return None if text is UNSET else text
