"""`agentmessage brands`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, Yes, asks, chosen, newest, page_size, require_yes
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.request_body import Filed, Settings, body

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

brands = typer.Typer(no_args_is_help=True, help="Who is texting.")

FILLED_BY = "`agentmessage brands create` registers one."
COLUMNS = ("display_name", "status", "identity_status", "entity_type", "country", "tcr_brand_id", "id")
FIELDS = (
    *COLUMNS,
    "brand_relationship",
    "company_name",
    "ein_last4",
    "vertical",
    "website",
    "email",
    "phone",
    "failure_reasons",
    "submitted_at",
    "verified_at",
    "created_at",
)


@asks(brands, "list")
def list_brands(
    client: "AgentMessage",
    *,
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    identity_status: Annotated[str | None, typer.Option(help="Such as VERIFIED.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your brands, newest first."""
    page = client.brands.list(limit=page_size(limit), **chosen(status=status, identity_status=identity_status))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Brands", filled_by=FILLED_BY)


@asks(brands, "create")
def create_brand(
    client: "AgentMessage",
    *,
    display_name: Annotated[str | None, typer.Option(help="What people know you as.")] = None,
    entity_type: Annotated[str | None, typer.Option(help="Such as PRIVATE_PROFIT or SOLE_PROPRIETOR.")] = None,
    brand_relationship: Annotated[str | None, typer.Option(help="Such as BASIC_ACCOUNT.")] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, such as US.")] = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """File a brand with the registry; the fee is charged once. `brands get` shows how it went."""
    fields: Any = body(
        file,
        settings,
        display_name=display_name,
        entity_type=entity_type,
        brand_relationship=brand_relationship,
        country=country,
    )
    return Card(thing=client.brands.create(**fields), fields=FIELDS, title="Filed")


@asks(brands, "get")
def get_brand(client: "AgentMessage", *, brand: Annotated[str, typer.Argument(help="Id of the brand.")]) -> Shown:
    """Show one brand and how far its vetting is."""
    return Card(thing=client.brands.get(brand), fields=FIELDS, title="Brand")


@asks(brands, "update")
def update_brand(
    client: "AgentMessage",
    *,
    brand: Annotated[str, typer.Argument(help="Id of the brand.")],
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Change a brand, such as --set website=https://example.com; the registry looks at it again."""
    fields: Any = body(file, settings)
    return Card(thing=client.brands.update(brand, **fields), fields=FIELDS, title="Changed")


@asks(brands, "delete")
def delete_brand(
    client: "AgentMessage", *, brand: Annotated[str, typer.Argument(help="Id of the brand.")], yes: Yes = False
) -> Shown:
    """Delete a brand that has no campaign. Asks before, unless --yes."""
    require_yes(f"Delete {client.brands.get(brand).display_name}? Filing it again costs the fee again.", is_given=yes)
    return Card(thing=client.brands.delete(brand), fields=FIELDS, title="Deleted")
