"""`agentmessage inbound`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.errors import TIMED_OUT, Failure
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

inbound = typer.Typer(no_args_is_help=True, help="Inbound messages.")

FILLED_BY = "Wait for one with `agentmessage inbound wait`."
COLUMNS = ("received_at", "from_", "to", "opt_out.detected", "id", "body")
FIELDS = (
    "id",
    "from_",
    "to",
    "body",
    "media_urls",
    "received_at",
    "opt_out.detected",
    "opt_out.keyword",
    "opt_out.method",
    "segment_count",
    "carrier_message_id",
)

Contact = Annotated[str | None, typer.Option("--from", help="Contact number.")]
Own = Annotated[str | None, typer.Option("--to", help="Your number.")]
Since = Annotated[datetime | None, typer.Option(parser=past, help="Only after this time, or duration ago such as 2h.")]


@asks(inbound, "list")
def list_inbound(
    client: "AgentMessage",
    *,
    from_: Contact = None,
    to: Own = None,
    since: Since = None,
    opt_out: Annotated[bool, typer.Option("--opt-out", help="Only opt-outs.")] = False,
    limit: Limit = 50,
) -> Shown:
    """List inbound messages, newest first."""
    asked = chosen(from_=from_, to=to, since=since, opt_out=opt_out or None)
    page = client.inbound_messages.list(limit=page_size(limit), **asked)
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Inbound messages", filled_by=FILLED_BY)


@asks(inbound, "get")
def get_inbound(
    client: "AgentMessage", *, message: Annotated[str, typer.Argument(metavar="ID", help="Message id.")]
) -> Shown:
    """Show one inbound message."""
    return Card(thing=client.inbound_messages.get(message), fields=FIELDS, title="Message")


@asks(inbound, "wait")
def wait(
    client: "AgentMessage",
    *,
    from_: Contact = None,
    to: Own = None,
    since: Since = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Timeout, seconds.")] = 60.0,
) -> Shown:
    """Wait for the next matching message. Exits with 5 on timeout."""
    came = client.messages.wait_for_reply(timeout_s=timeout_s, **chosen(from_=from_, to=to, since=since))
    if came is None:
        raise Failure(f"No message was received within {timeout_s:g} s", status=TIMED_OUT)
    return Card(thing=came, fields=FIELDS, title="Message")
