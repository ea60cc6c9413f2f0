"""Conversations over HTTP."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from agentmessage.conversations import queries
from agentmessage.conversations.model import Conversation, Place
from agentmessage.conversations.schemas import (
    ConversationMessageOut,
    ConversationMessageQuery,
    ConversationOut,
    ConversationQuery,
)
from agentmessage.kernel.errors import InvalidInput, NotFound, ValidationFailed
from agentmessage.web import cursors, pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, PathParameter, Routes
from agentmessage.web.types import Page, in_utc

routes = Routes("Conversations")

CONVERSATION_ID = PathParameter(
    pattern=r"[A-Za-z0-9_-]{22,86}",
    must="must be the id of a conversation",
    example=Place(UUID("497f6eca-6276-4993-bfeb-53cbbbba6f08"), "+14155550123").id,
    description="The conversation's id, as the list of conversations shows it.",
    fault=InvalidInput,
)


@routes.route(
    "GET",
    "/v1/conversations",
    scope="conversations:read",
    answers={200: ConversationOut},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_conversations(call: Call[NoInput, ConversationQuery]) -> Page[ConversationOut]:
    """List conversations, the one that was last spoken in first.

    One in which somebody speaks while you page moves to the front: read the first page again, or ask with `since`.
    """
    query = call.query
    before_at, below = None, None
    if query.cursor is not UNSET:
        place = cursors.decode(query.cursor)
        before_at, below = place.created_at, Place.read(place.id)
        if below is None:
            raise ValidationFailed({"cursor": "must be a cursor from an earlier page"})
    rows = await queries.list_(
        call.db,
        call.tenant.org_id,
        contact_number=None if query.contact_number is UNSET else query.contact_number,
        phone_number_id=None if query.phone_number_id is UNSET else query.phone_number_id,
        since=None if query.since is UNSET else in_utc(query.since, "since"),
        opted_in=None if query.opted_in is UNSET else query.opted_in,
        before_at=before_at,
        after_contact=below.contact_number if below else "",
        after_number_id=below.phone_number_id if below else None,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=ConversationOut.of, key=_key)


@routes.route(
    "GET",
    "/v1/conversations/{id}/messages",
    scope="conversations:read",
    answers={200: ConversationMessageOut},
    refuses=[InvalidInput, ValidationFailed, NotFound],
    is_list=True,
    texts={"id": CONVERSATION_ID},
)
async def list_conversation_messages(call: Call[NoInput, ConversationMessageQuery]) -> Page[ConversationMessageOut]:
    """List the texts of one conversation in both directions, oldest first."""
    query, org_id = call.query, call.tenant.org_id
    conversation = _read(call.text)
    start = pagination.start_of(query.cursor)
    if not await queries.exists(
        call.db,
        org_id,
        phone_number_id=conversation.phone_number_id,
        contact_number=conversation.contact_number,
    ):
        raise NotFound
    rows = await queries.list_entries(
        call.db,
        org_id,
        phone_number_id=conversation.phone_number_id,
        contact_number=conversation.contact_number,
        after_at=start.at,
        after_id=start.id,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=ConversationMessageOut.of, key=lambda row: (row.at, row.id))


def _read(conversation_id: str) -> Place:
    place = Place.read(conversation_id)
    if place is None:
        raise CONVERSATION_ID.refusal("id")
    return place


def _key(row: Conversation) -> tuple[datetime, str]:
    return row.last_message_at, Place(row.phone_number_id, row.contact_number).id
