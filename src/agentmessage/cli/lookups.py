"""`agentmessage lookups`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

lookups = typer.Typer(no_args_is_help=True, help="Lookups: the line type of a number.")

COLUMNS = ("phone_number", "status", "result.line_type", "result.messaging_provider", "requested_at", "id")
FIELDS = (*COLUMNS, "lookup_type", "error_code", "error_message", "completed_at", "cost_cents")


@asks(lookups, "list")
def list_lookups(
    client: "AgentMessage",
    *,
    number: Annotated[str | None, typer.Option(help="Filter by number.")] = None,
    status: Annotated[str | None, typer.Option(help="Filter by status.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=past, help="Only after this time, or duration ago such as 7d.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Only before this time, or duration ago.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List lookups, newest first."""
    asked = chosen(phone_number=number, status=status, since=since, until=until)
    page = client.lookups.list(limit=page_size(limit), **asked)
    filled_by = "Create one with `agentmessage lookups create`."
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Lookups", filled_by=filled_by)


@asks(lookups, "create")
def create_lookup(
    client: "AgentMessage", *, number: Annotated[str, typer.Argument(help="E.164 number, such as +14155550188.")]
) -> Shown:
    """Look up the line type of a number. It is charged. `lookups get` shows the result."""
    return Card(thing=client.lookups.submit(phone_number=number), fields=FIELDS, title="Lookup")


@asks(lookups, "get")
def get_lookup(
    client: "AgentMessage", *, lookup: Annotated[str, typer.Argument(metavar="ID", help="Lookup id.")]
) -> Shown:
    """Show one lookup and its result."""
    return Card(thing=client.lookups.get(lookup), fields=FIELDS, title="Lookup")
