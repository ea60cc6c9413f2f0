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

messages = typer.Typer(no_args_is_help=True, help="Texts that you send.")

FILLED_BY = "`agentmessage messages send` sends the first."
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

MessageId = Annotated[str, typer.Argument(metavar="ID", help="Of the text.")]


@asks(messages, "send")
def send(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option(SENDER, help="One of your numbers.")],
    to: Annotated[str, typer.Option(help="Whom to text, such as +14155550188.")],
    text: Annotated[str | None, typer.Option(help="1 to 1600 characters.")] = None,
    media: Annotated[
        list[str] | None, typer.Option(help="A link or a file to send along; repeatable.", metavar="URL|FILE")
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(parser=coming, help="When to send it: a time, or a while such as 2h.")
    ] = None,
    priority: Annotated[str | None, typer.Option(help="high, default or low.")] = None,
    tag: Annotated[str | None, typer.Option(help="Your own word for lists.")] = None,
    validity_s: Annotated[int | None, typer.Option("--validity", help="Seconds to keep trying.")] = None,
    smart_encoding: Annotated[
        bool, typer.Option("--smart-encoding", help="Plain characters where that saves a part.")
    ] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Sending again with the same key sends nothing twice.")
    ] = None,
) -> Shown:
    """Send one text. Accepted means that it will be sent; `messages wait` waits until it is delivered."""
    asked = chosen(
        text=text,
        media=[_link(client, one) for one in media] if media else None,
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
    status: Annotated[str | None, typer.Option(help="Such as delivered or failed.")] = None,
    from_: Annotated[str | None, typer.Option(SENDER, help="One of your numbers.")] = None,
    to: Annotated[str | None, typer.Option(help="Who was texted.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your texts, newest first."""
    page = client.messages.list(limit=page_size(limit, most=200), **chosen(status=status, from_=from_, to=to, tag=tag))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Messages", filled_by=FILLED_BY)


@asks(messages, "get")
def get_message(client: "AgentMessage", *, message: MessageId) -> Shown:
    """Show one text and how far it has come."""
    return Card(thing=client.messages.get(message), fields=FIELDS, title="Text")


@asks(messages, "events")
def list_transitions(client: "AgentMessage", *, message: MessageId) -> Shown:
    """Show every state that a message was in, and why."""
    return Table(rows=client.messages.list_events(message), columns=TRANSITIONS, title="States")


@asks(messages, "batch")
def batch(
    client: "AgentMessage",
    *,
    file: Annotated[Path, typer.Argument(help="JSON array, or one message a line; - is standard input.")],
    idempotency_key: Annotated[
        str | None, typer.Option(help="Sending again with the same key sends nothing twice.")
    ] = None,
) -> Shown:
    """Send up to 1,000 messages at once; each is accepted or rejected by itself. Ends with 1 when any was rejected."""
    drafts: Any = rows_of(file)
    sent = client.messages.send_batch(messages=drafts, idempotency_key=idempotency_key)
    return Card(thing=sent, fields=("accepted", "refused"), title="Batch", status=FAILED if sent.refused else 0)


@asks(messages, "cancel")
def cancel(client: "AgentMessage", *, message: MessageId) -> Shown:
    """Cancel a text that still waits."""
    return Card(thing=client.messages.cancel(message), fields=FIELDS, title="Canceled")


@asks(messages, "wait")
def wait(
    client: "AgentMessage",
    *,
    message: MessageId,
    reply: Annotated[bool, typer.Option("--reply", help="Wait for the answer to it instead.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at most.")] = 60.0,
) -> Shown:
    """Wait until a text is delivered, or with --reply until it is answered.

    Ends with 1 when it cannot be delivered, and with 5 when nothing came in time.
    """
    sent = client.messages.get(message)
    if reply:
        answer = client.messages.wait_for_reply(sent, timeout_s=timeout_s)
        if answer is None:
            raise Failure(f"{sent.to} did not answer within {timeout_s:g} s", status=TIMED_OUT)
        return Card(thing=answer, fields=INBOUND_FIELDS, title="Answer")
    ended = _ended(client, sent, deadline=time.monotonic() + timeout_s)
    if ended.status not in FINAL:
        raise Failure(f"The text is still {ended.status} after {timeout_s:g} s", status=TIMED_OUT)
    return Card(thing=ended, fields=FIELDS, title="Text", status=0 if ended.status in ARRIVED else FAILED)


def _ended(client: "AgentMessage", message: "Message", *, deadline: float) -> "Message":
    """The text in its last state, or as it is at the deadline."""
    pause_s = FIRST_PAUSE_S
    while message.status not in FINAL and (left_s := deadline - time.monotonic()) > 0:
        time.sleep(min(pause_s, left_s))
        pause_s = min(LONGEST_PAUSE_S, pause_s * 1.5)
        message = client.messages.get(message.id)
    return message


def _link(client: "AgentMessage", word: str) -> str:
    """What to list as media: a link or an id as it is, a file once it is uploaded. Raises Failure."""
    path = Path(word)
    if "://" in word or not path.is_file():
        return word
    import mimetypes  # noqa: PLC0415 - reads the system's tables

    kind: Any = mimetypes.guess_type(path.name)[0]
    if kind is None:
        raise Failure(f"What kind of file {word} is cannot be told from its name; give it an ending such as .jpg")
    return client.messages.upload_media(path.read_bytes(), mime_type=kind).media_id
