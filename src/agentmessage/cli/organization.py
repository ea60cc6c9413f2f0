"""`agentmessage organization`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import asks
from agentmessage.cli.output import Card, Shown
from agentmessage.cli.request_body import Filed, Settings, body

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

organization = typer.Typer(no_args_is_help=True, help="Your organization and its settings.")

FIELDS = (
    "id",
    "name",
    "billing_email",
    "plan",
    "throughput_tier",
    "message_retention_days",
    "mms_retention_days",
    "is_reseller",
    "quiet_hours",
    "auto_replies",
    "registration_status",
    "created_at",
)


@asks(organization, "get")
def get_organization(client: "AgentMessage") -> Shown:
    """Show your organization and its settings."""
    return Card(thing=client.organization.get(), fields=FIELDS, title="Organization")


@asks(organization, "update")
def update_organization(
    client: "AgentMessage",
    *,
    name: Annotated[str | None, typer.Option(help="Organization name.")] = None,
    billing_email: Annotated[str | None, typer.Option(help="Email address for invoices.")] = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Update settings, such as --set message_retention_days:=30. Omitted settings stay."""
    fields: Any = body(file, settings, name=name, billing_email=billing_email)
    return Card(thing=client.organization.update(**fields), fields=FIELDS, title="Updated")
