"""`agentmessage messages`."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.errors import FAILED, TIMED_OUT, Failure
from agentmessage.cli.inbound import FIELDS as INBOUND_FIELDS
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.request_body import rows_of
from agentmessage.cli.timestamps import coming

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Message

messages = typer.Typer(no_args_is_help=True, help="Send messages and list them.")

FILLED_BY = "Send one with `agentmessage messages send`."
COLUMNS = ("created_at", "from_", "to", "status", "cost_cents", "id", "text")
FIELDS = (
    "id",
    "from_",
    "to",
    "status",
    "text",
    "appended_text",
    "media",
    "error",
    "segment_count",
    "encoding",
    "cost_cents",
    "tag",
    "metadata",
    "campaign_id",
    "carrier_message_id",
    "created_at",
    "scheduled_at",
    "sent_at",
    "delivered_at",
    "expires_at",
)
TRANSITIONS = ("at", "status", "cause", "code", "text")
SENDER = "--from"
FINAL = frozenset({"delivered", "failed", "undelivered", "canceled"})
ARRIVED = frozenset({"delivered"})
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0

MessageId = Annotated[str, typer.Argument(metavar="ID", help="Message id.")]


@asks(messages, "send")
def send(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option(SENDER, help="Your sending number.")],
    to: Annotated[str, typer.Option(help="Recipient, E.164, such as +14155550188.")],
    text: Annotated[str | None, typer.Option(help="Message text, 1 to 1600 characters.")] = None,
    media: Annotated[
        list[str] | None, typer.Option(help="Media to attach: a URL or a file; repeatable.", metavar="URL|FILE")
    ] = None,
    at: Annotated[datetime | None, typer.Option(parser=coming, help="Send time, or delay such as 2h.")] = None,
    priority: Annotated[str | None, typer.Option(help="Priority: high, default or low.")] = None,
    tag: Annotated[str | None, typer.Option(help="Tag, to filter lists by.")] = None,
    validity_s: Annotated[int | None, typer.Option("--validity", help="Validity period, seconds.")] = None,
    smart_encoding: Annotated[
        bool,
        typer.Option("--smart-encoding", help="Replace Unicode characters by GSM ones where that saves a segment."),
    ] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Idempotency key; a repeated request with the same key sends nothing.")
    ] = None,
) -> Shown:
    """Send one message. Accepted means that it will be sent; `messages wait` waits for delivery."""
    asked = chosen(
        text=text,
        media=[_link(client, item) for item in media] if media else None,
        scheduled_at=at,
        priority=priority,
        tag=tag,
        validity_s=validity_s,
        smart_encoding=smart_encoding or None,
        idempotency_key=idempotency_key,
    )
    return Card(thing=client.messages.send(from_=from_, to=to, **asked), fields=FIELDS, title="Accepted")


@asks(messages, "list")
def list_messages(
    client: "AgentMessage",
    *,
    status: Annotated[str | None, typer.Option(help="Filter by status, such as delivered or failed.")] = None,
    from_: Annotated[str | None, typer.Option(SENDER, help="Your sending number.")] = None,
    to: Annotated[str | None, typer.Option(help="Filter by recipient.")] = None,
    tag: Annotated[str | None, typer.Option(help="Filter by tag.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your messages, newest first."""
    page = client.messages.list(limit=page_size(limit, most=200), **chosen(status=status, from_=from_, to=to, tag=tag))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Messages", filled_by=FILLED_BY)


@asks(messages, "get")
def get_message(client: "AgentMessage", *, message: MessageId) -> Shown:
    """Show one message and its status."""
    return Card(thing=client.messages.get(message), fields=FIELDS, title="Message")


@asks(messages, "events")
def list_transitions(client: "AgentMessage", *, message: MessageId) -> Shown:
    """List the status changes of a message, with reasons."""
    return Table(rows=client.messages.list_events(message), columns=TRANSITIONS, title="Status changes")


@asks(messages, "batch")
def batch(
    client: "AgentMessage",
    *,
    file: Annotated[Path, typer.Argument(help="JSON array, or one JSON object per line; - reads standard input.")],
    idempotency_key: Annotated[
        str | None, typer.Option(help="Idempotency key; a repeated request with the same key sends nothing.")
    ] = None,
) -> Shown:
    """Send up to 1,000 messages. Each is accepted or rejected separately. Exits with 1 if any was rejected."""
    drafts: Any = rows_of(file)
    sent = client.messages.send_batch(messages=drafts, idempotency_key=idempotency_key)
    return Card(thing=sent, fields=("accepted", "refused"), title="Batch", status=FAILED if sent.refused else 0)


@asks(messages, "cancel")
def cancel(client: "AgentMessage", *, message: MessageId) -> Shown:
    """Cancel a queued message."""
    return Card(thing=client.messages.cancel(message), fields=FIELDS, title="Canceled")


@asks(messages, "wait")
def wait(
    client: "AgentMessage",
    *,
    message: MessageId,
    reply: Annotated[bool, typer.Option("--reply", help="Wait for a reply instead of delivery.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Timeout, seconds.")] = 60.0,
) -> Shown:
    """Wait until a message is delivered, or with --reply until the recipient replies.

    Exits with 1 if it cannot be delivered, and with 5 on timeout.
    """
    sent = client.messages.get(message)
    if reply:
        answer = client.messages.wait_for_reply(sent, timeout_s=timeout_s)
        if answer is None:
            raise Failure(f"{sent.to} did not reply within {timeout_s:g} s", status=TIMED_OUT)
        return Card(thing=answer, fields=INBOUND_FIELDS, title="Reply")
    ended = _ended(client, sent, deadline=time.monotonic() + timeout_s)
    if ended.status not in FINAL:
        raise Failure(f"The message is still {ended.status} after {timeout_s:g} s", status=TIMED_OUT)
    return Card(thing=ended, fields=FIELDS, title="Message", status=0 if ended.status in ARRIVED else FAILED)


def _ended(client: "AgentMessage", message: "Message", *, deadline: float) -> "Message":
    """The message in its final status, or as it is at the timeout."""
    pause_s = FIRST_PAUSE_S
    while message.status not in FINAL and (left_s := deadline - time.monotonic()) > 0:
        time.sleep(min(pause_s, left_s))
        pause_s = min(LONGEST_PAUSE_S, pause_s * 1.5)
        message = client.messages.get(message.id)
    return message


def _link(client: "AgentMessage", word: str) -> str:
    """The `media` of a message: URLs and ids unchanged, files uploaded. Raises Failure."""
    path = Path(word)
    if "://" in word or not path.is_file():
        return word
    import mimetypes  # noqa: PLC0415 - reads the system's tables

    kind: Any = mimetypes.guess_type(path.name)[0]
    if kind is None:
        raise Failure(f"The media type of {word} is unknown; give the file an extension such as .jpg")
    return client.messages.upload_media(path.read_bytes(), mime_type=kind).media_id
