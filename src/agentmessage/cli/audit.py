"""`agentmessage audit`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.output import Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

audit = typer.Typer(no_args_is_help=True, help="The audit log of your organization.")

COLUMNS = ("occurred_at", "actor.label", "action", "resource.type", "resource.id", "id")


@asks(audit, "list")
def list_acts(
    client: "AgentMessage",
    *,
    action: Annotated[str | None, typer.Option(help="Filter by action, such as api_key.created.")] = None,
    resource_type: Annotated[str | None, typer.Option(help="Filter by resource type.")] = None,
    resource: Annotated[str | None, typer.Option(help="Filter by resource id.")] = None,
    actor: Annotated[str | None, typer.Option(help="Filter by actor: customer or platform.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=past, help="Only after this time, or duration ago such as 7d.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Only before this time, or duration ago.")] = None,
    payload: Annotated[bool, typer.Option("--payload", help="Include the changes; shown with --json.")] = False,
    limit: Limit = 50,
) -> Shown:
    """List audited actions in your organization, newest first."""
    asked: Any = chosen(
        action=action,
        resource_type=resource_type,
        resource_id=resource,
        actor_kind=actor,
        since=since,
        until=until,
        include="payload" if payload else None,
    )
    page = client.audit_log.list(limit=page_size(limit), **asked)
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Actions")
