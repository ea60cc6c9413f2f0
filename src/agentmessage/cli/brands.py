"""`agentmessage brands`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, Yes, asks, chosen, newest, page_size, require_yes
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.request_body import Filed, Settings, body

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

brands = typer.Typer(no_args_is_help=True, help="Brands: the businesses that send messages.")

FILLED_BY = "Register one with `agentmessage brands create`."
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
    status: Annotated[str | None, typer.Option(help="Filter by status.")] = None,
    identity_status: Annotated[str | None, typer.Option(help="Filter by identity status, such as VERIFIED.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your brands, newest first."""
    page = client.brands.list(limit=page_size(limit), **chosen(status=status, identity_status=identity_status))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Brands", filled_by=FILLED_BY)


@asks(brands, "create")
def create_brand(
    client: "AgentMessage",
    *,
    display_name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    entity_type: Annotated[
        str | None, typer.Option(help="Entity type, such as PRIVATE_PROFIT or SOLE_PROPRIETOR.")
    ] = None,
    brand_relationship: Annotated[str | None, typer.Option(help="Brand relationship, such as BASIC_ACCOUNT.")] = None,
    country: Annotated[str | None, typer.Option(help="Country code, two letters, such as US.")] = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Register a brand with the registry. The fee is charged once. `brands get` shows the result."""
    fields: Any = body(
        file,
        settings,
        display_name=display_name,
        entity_type=entity_type,
        brand_relationship=brand_relationship,
        country=country,
    )
    return Card(thing=client.brands.create(**fields), fields=FIELDS, title="Registered")


@asks(brands, "get")
def get_brand(client: "AgentMessage", *, brand: Annotated[str, typer.Argument(help="Brand id.")]) -> Shown:
    """Show one brand and its vetting status."""
    return Card(thing=client.brands.get(brand), fields=FIELDS, title="Brand")


@asks(brands, "update")
def update_brand(
    client: "AgentMessage",
    *,
    brand: Annotated[str, typer.Argument(help="Brand id.")],
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Update a brand, such as --set website=https://example.com. The registry vets it again."""
    fields: Any = body(file, settings)
    return Card(thing=client.brands.update(brand, **fields), fields=FIELDS, title="Updated")


@asks(brands, "delete")
def delete_brand(
    client: "AgentMessage", *, brand: Annotated[str, typer.Argument(help="Brand id.")], yes: Yes = False
) -> Shown:
    """Delete a brand that has no campaign. Asks for confirmation unless --yes."""
    require_yes(f"Delete {client.brands.get(brand).display_name}? Registering it again is charged again.", is_given=yes)
    return Card(thing=client.brands.delete(brand), fields=FIELDS, title="Deleted")
