"""`agentmessage lookups`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

lookups = typer.Typer(no_args_is_help=True, help="What kind of line a number is.")

COLUMNS = ("phone_number", "status", "result.line_type", "result.messaging_provider", "requested_at", "id")
FIELDS = (*COLUMNS, "lookup_type", "error_code", "error_message", "completed_at", "cost_cents")


@asks(lookups, "list")
def list_lookups(
    client: "AgentMessage",
    *,
    number: Annotated[str | None, typer.Option(help="Only those of this number.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    since: Annotated[datetime | None, typer.Option(parser=past, help="Later than a time, or a while ago.")] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Earlier than that.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List lookups, newest first."""
    asked = chosen(phone_number=number, status=status, since=since, until=until)
    page = client.lookups.list(limit=page_size(limit), **asked)
    filled_by = "`agentmessage lookups create` makes one."
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Lookups", filled_by=filled_by)


@asks(lookups, "create")
def create_lookup(
    client: "AgentMessage", *, number: Annotated[str, typer.Argument(help="Such as +14155550188.")]
) -> Shown:
    """Ask what kind of line a number is; it is charged. `lookups get` shows the answer when it has come."""
    return Card(thing=client.lookups.submit(phone_number=number), fields=FIELDS, title="Lookup")


@asks(lookups, "get")
def get_lookup(
    client: "AgentMessage", *, lookup: Annotated[str, typer.Argument(metavar="ID", help="Of the lookup.")]
) -> Shown:
    """Show one lookup and what it found."""
    return Card(thing=client.lookups.get(lookup), fields=FIELDS, title="Lookup")
