"""`agentmessage conversations`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, number_of, page_size
from agentmessage.cli.output import Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

conversations = typer.Typer(
    no_args_is_help=True, help="Conversations: messages between one of your numbers and a contact."
)

COLUMNS = ("last_message_at", "phone_number", "contact_number", "message_count", "id", "last_message_preview")
MESSAGES = ("created_at", "direction", "from_number", "to_number", "id", "body")


@asks(conversations, "list")
def list_conversations(
    client: "AgentMessage",
    *,
    from_: Annotated[str | None, typer.Option("--number", help="Filter by your number.")] = None,
    contact: Annotated[str | None, typer.Option(help="Filter by contact number.")] = None,
    opted_in: Annotated[bool | None, typer.Option("--opted-in/--opted-out", help="Filter by opt-in state.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=past, help="Only with a message after this time, or duration ago.")
    ] = None,
    limit: Limit = 50,
) -> Shown:
    """List conversations, most recently active first."""
    number_id = number_of(client, from_).id if from_ else None
    asked = chosen(phone_number_id=number_id, contact_number=contact, opted_in=opted_in, since=since)
    page = client.conversations.list(limit=page_size(limit), **asked)
    filled_by = "Start one with `agentmessage messages send`."
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Conversations", filled_by=filled_by)


@asks(conversations, "messages")
def list_conversation_messages(
    client: "AgentMessage",
    *,
    conversation: Annotated[str, typer.Argument(metavar="ID", help="Conversation id.")],
    limit: Limit = 50,
) -> Shown:
    """List the messages of a conversation, newest first."""
    page = client.conversations.list_messages(conversation, limit=page_size(limit))
    return Table(rows=newest(page, limit), columns=MESSAGES, title="Messages")
