"""`agentmessage campaigns`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from agentmessage.cli.command import Limit, Yes, asks, chosen, newest, page_size, require_yes
from agentmessage.cli.errors import FAILED
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.request_body import Filed, Settings, body
from agentmessage.cli.tables import print_json, show

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Review

campaigns = typer.Typer(no_args_is_help=True, help="Campaigns: registered purposes of messaging.")

FILLED_BY = "Register one with `agentmessage campaigns create`."
COLUMNS = ("usecase", "status", "is_suspended", "description", "tcr_campaign_id", "brand_id", "id")
FIELDS = (
    *COLUMNS,
    "message_flow",
    "sub_usecases",
    "sample1",
    "sample2",
    "sample3",
    "sample4",
    "sample5",
    "number_cap",
    "rejection_reasons",
    "submitted_at",
    "billed_date",
    "next_renewal_or_expiration_date",
    "created_at",
)
FINDINGS = ("severity", "field", "detail", "suggested_fix")
NUMBERS = ("number", "number_type", "carrier_line_option_status", "id", "label")

BrandId = Annotated[str | None, typer.Option("--brand", help="Brand id.")]
Usecase = Annotated[str | None, typer.Option(help="Use case, such as CUSTOMER_CARE.")]
Description = Annotated[str | None, typer.Option(help="Description of the messages.")]
MessageFlow = Annotated[str | None, typer.Option(help="How contacts give consent.")]
Sample = Annotated[str | None, typer.Option(help="Sample message.")]


@asks(campaigns, "list")
def list_campaigns(
    client: "AgentMessage",
    *,
    status: Annotated[str | None, typer.Option(help="Filter by status: PENDING, ACTIVE, REJECTED or EXPIRED.")] = None,
    brand: Annotated[str | None, typer.Option(help="Filter by brand id.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your campaigns, newest first."""
    page = client.campaigns.list(limit=page_size(limit), **chosen(status=status, brand_id=brand))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Campaigns", filled_by=FILLED_BY)


@asks(campaigns, "create")
def create_campaign(
    client: "AgentMessage",
    *,
    brand: BrandId = None,
    usecase: Usecase = None,
    description: Description = None,
    message_flow: MessageFlow = None,
    sample1: Sample = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Register a campaign. Its first month is charged. `campaigns review` checks a draft first."""
    fields: Any = body(
        file,
        settings,
        brand_id=brand,
        usecase=usecase,
        description=description,
        message_flow=message_flow,
        sample1=sample1,
    )
    return Card(thing=client.campaigns.create(**fields), fields=FIELDS, title="Registered")


@asks(campaigns, "get")
def get_campaign(client: "AgentMessage", *, campaign: Annotated[str, typer.Argument(help="Campaign id.")]) -> Shown:
    """Show one campaign and its approval status."""
    return Card(thing=client.campaigns.get(campaign), fields=FIELDS, title="Campaign")


@asks(campaigns, "numbers")
def list_campaign_numbers(
    client: "AgentMessage",
    *,
    campaign: Annotated[str, typer.Argument(help="Campaign id.")],
    limit: Limit = 50,
) -> Shown:
    """List the numbers bound to a campaign."""
    page = client.campaigns.list_phone_numbers(campaign, limit=page_size(limit))
    filled_by = f"Attach one with `agentmessage numbers attach NUMBER {campaign}`."
    return Table(rows=newest(page, limit), columns=NUMBERS, title="Numbers", filled_by=filled_by)


@asks(campaigns, "deactivate")
def deactivate_campaign(
    client: "AgentMessage",
    *,
    campaign: Annotated[str, typer.Argument(help="Campaign id.")],
    detach_numbers: Annotated[bool, typer.Option("--detach-numbers", help="Detach its numbers first.")] = False,
    yes: Yes = False,
) -> Shown:
    """Deactivate a campaign permanently; its monthly fee ends. Asks for confirmation unless --yes."""
    require_yes(f"Deactivate campaign {campaign}? It cannot be activated again.", is_given=yes)
    ended = client.campaigns.deactivate(campaign, detach_numbers=detach_numbers)
    return Card(thing=ended, fields=FIELDS, title="Deactivated")


@asks(campaigns, "review")
def review_campaign(
    client: "AgentMessage",
    *,
    brand: BrandId = None,
    usecase: Usecase = None,
    description: Description = None,
    message_flow: MessageFlow = None,
    sample1: Sample = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Review a draft without registering it. Nothing is stored or charged. Exits with 1 if it would fail."""
    fields: Any = body(
        file,
        settings,
        brand_id=brand,
        usecase=usecase,
        description=description,
        message_flow=message_flow,
        sample1=sample1,
    )
    return Reviewed(review=client.campaigns.review(**fields))


class Reviewed(Struct, frozen=True, kw_only=True):
    """A review; it fails if a finding blocks."""

    review: "Review"

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.review.can_submit else FAILED

    def print(self, *, as_json: bool) -> None:
        """The whole review as JSON, or its findings and the verdict."""
        if as_json:
            print_json(self.review)
            return
        if self.review.findings:
            show(self.review.findings, columns=FINDINGS, title="Findings", as_json=False)
        sys.stdout.write("It can be filed.\n" if self.review.can_submit else "It would be refused as it is.\n")
