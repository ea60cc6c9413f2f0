"""`agentmessage audit`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.output import Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

audit = typer.Typer(no_args_is_help=True, help="Who did what.")

COLUMNS = ("occurred_at", "actor.label", "action", "resource.type", "resource.id", "id")


@asks(audit, "list")
def list_acts(
    client: "AgentMessage",
    *,
    action: Annotated[str | None, typer.Option(help="Only this action, such as api_key.created.")] = None,
    resource_type: Annotated[str | None, typer.Option(help="Only acts on this kind of thing.")] = None,
    resource: Annotated[str | None, typer.Option(help="Only acts on the thing with this id.")] = None,
    actor: Annotated[str | None, typer.Option(help="customer or platform.")] = None,
    since: Annotated[datetime | None, typer.Option(parser=past, help="Later than a time, or a while ago.")] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Earlier than that.")] = None,
    payload: Annotated[bool, typer.Option("--payload", help="With what was changed; seen with --json.")] = False,
    limit: Limit = 50,
) -> Shown:
    """List what was done in your organization, newest first."""
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
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Acts")
