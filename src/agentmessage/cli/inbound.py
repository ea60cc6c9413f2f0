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

inbound = typer.Typer(no_args_is_help=True, help="Texts that you get.")

FILLED_BY = "A message to one of your numbers shows here; `agentmessage inbound wait` waits for the next."
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

Contact = Annotated[str | None, typer.Option("--from", help="The contact.")]
Own = Annotated[str | None, typer.Option("--to", help="Your number.")]
Since = Annotated[
    datetime | None, typer.Option(parser=past, help="Only later ones: after a time, or a while ago such as 2h.")
]


@asks(inbound, "list")
def list_inbound(
    client: "AgentMessage",
    *,
    from_: Contact = None,
    to: Own = None,
    since: Since = None,
    opt_out: Annotated[bool, typer.Option("--opt-out", help="Only those that asked to stop.")] = False,
    limit: Limit = 50,
) -> Shown:
    """List the texts that came in, newest first."""
    asked = chosen(from_=from_, to=to, since=since, opt_out=opt_out or None)
    page = client.inbound_messages.list(limit=page_size(limit), **asked)
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Inbound messages", filled_by=FILLED_BY)


@asks(inbound, "get")
def get_inbound(
    client: "AgentMessage", *, message: Annotated[str, typer.Argument(metavar="ID", help="Of the text.")]
) -> Shown:
    """Show one text that came in."""
    return Card(thing=client.inbound_messages.get(message), fields=FIELDS, title="Text")


@asks(inbound, "wait")
def wait(
    client: "AgentMessage",
    *,
    from_: Contact = None,
    to: Own = None,
    since: Since = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at most.")] = 60.0,
) -> Shown:
    """Wait for the next text that fits. Ends with 5 when none came in time."""
    came = client.messages.wait_for_reply(timeout_s=timeout_s, **chosen(from_=from_, to=to, since=since))
    if came is None:
        raise Failure(f"No text came within {timeout_s:g} s", status=TIMED_OUT)
    return Card(thing=came, fields=FIELDS, title="Text")
