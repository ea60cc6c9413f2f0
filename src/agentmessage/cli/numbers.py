"""`agentmessage numbers`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, NumberWord, Yes, asks, chosen, newest, number_of, page_size, require_yes
from agentmessage.cli.output import Card, Sentence, Shown, Table
from agentmessage.cli.request_body import Settings, body

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

numbers = typer.Typer(no_args_is_help=True, help="Your phone numbers.")

FILLED_BY = "Find one to order with `agentmessage numbers search`."
OTHER_SEARCH = "Try another --area-code or --pattern."
COLUMNS = ("number", "number_type", "label", "carrier_line_option_status", "campaign_id", "id")
FIELDS = (
    *COLUMNS,
    "carrier_line_option_propagated_at",
    "inbound_url",
    "status_url",
    "mms_enabled",
    "created_at",
    "updated_at",
)
LINE_FIELDS = (
    "number",
    "can_send",
    "reason",
    "status",
    "phase",
    "desired_tcr_campaign_id",
    "observed_state",
    "observed_tcr_campaign_id",
    "observed_at",
    "operators",
    "attempts",
    "next_attempt_at",
    "last_error.trouble",
    "last_error.carrier_code",
    "last_error.text",
    "last_error.fix",
    "carrier_order_id",
)
BULK = ("order_id", "status", "quantity", "assigned_count", "pending_count", "failed_count", "assigned_numbers")
ORDERS = ("created_at", "kind", "status", "quantity", "assigned_count", "finished_at", "id")
ORDER = (*ORDERS, "phone_numbers", "unavailable_numbers")
ORDERED = 201

Kind = Annotated[str | None, typer.Option(help="Number type: local, toll_free or short_code.")]


@asks(numbers, "list")
def list_numbers(
    client: "AgentMessage",
    *,
    campaign: Annotated[str | None, typer.Option(help="Filter by campaign id.")] = None,
    kind: Kind = None,
    search: Annotated[str | None, typer.Option(help="Search in number and label.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your numbers, newest first."""
    asked = chosen(campaign_id=campaign, number_type=kind, search=search)
    page = client.phone_numbers.list(limit=page_size(limit), **asked)
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Numbers", filled_by=FILLED_BY)


@asks(numbers, "search")
def search_numbers(
    client: "AgentMessage",
    *,
    area_code: Annotated[str | None, typer.Option(help="Area code, three digits, such as 415.")] = None,
    kind: Kind = None,
    pattern: Annotated[str | None, typer.Option(help="Digits that the number contains.")] = None,
    quantity: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of rows.")] = 10,
) -> Shown:
    """Search numbers that can be ordered now. Nothing is reserved."""
    asked = chosen(area_code=area_code, number_type=kind, pattern=pattern)
    found = client.phone_numbers.search(quantity=quantity, **asked)
    return Table(rows=found, columns=("number", "number_type"), title="Available numbers", filled_by=OTHER_SEARCH)


@asks(numbers, "order")
def order_numbers(
    client: "AgentMessage",
    *,
    wanted: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Numbers, from `numbers search`.")],
    campaign: Annotated[str | None, typer.Option(help="Campaign id to attach the numbers to.")] = None,
    label: Annotated[str | None, typer.Option(help="Label of the numbers.")] = None,
    inbound_url: Annotated[str | None, typer.Option(help="Webhook URL for inbound messages.")] = None,
    status_url: Annotated[str | None, typer.Option(help="Webhook URL for message status changes.")] = None,
) -> Shown:
    """Order numbers, all or none. The first month is charged."""
    asked = chosen(campaign_id=campaign, label=label, inbound_url=inbound_url, status_url=status_url)
    ordered = client.phone_numbers.order(numbers=wanted, **asked)
    if ordered.http.status != ORDERED:
        typer.echo("The carrier has not responded yet; `agentmessage numbers orders` shows the progress.", err=True)
    return Table(rows=ordered, columns=COLUMNS, title="Ordered")


@asks(numbers, "get")
def get_number(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Show one number."""
    return Card(thing=number_of(client, number), fields=FIELDS, title="Number")


@asks(numbers, "orders")
def list_orders(
    client: "AgentMessage",
    *,
    status: Annotated[str | None, typer.Option(help="Filter by status.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your number orders, newest first."""
    page = client.phone_numbers.orders.list(limit=page_size(limit), **chosen(status=status))
    return Table(rows=newest(page, limit), columns=ORDERS, title="Orders", filled_by=FILLED_BY)


@asks(numbers, "order-get")
def get_order(
    client: "AgentMessage", *, order: Annotated[str, typer.Argument(metavar="ID", help="Order id.")]
) -> Shown:
    """Show one order and the result for each number."""
    return Card(thing=client.phone_numbers.orders.get(order), fields=ORDER, title="Order")


@asks(numbers, "update")
def update(
    client: "AgentMessage",
    *,
    number: NumberWord,
    label: Annotated[str | None, typer.Option(help="Name.")] = None,
    inbound_url: Annotated[str | None, typer.Option(help="Webhook URL for inbound messages.")] = None,
    status_url: Annotated[str | None, typer.Option(help="Webhook URL for message status changes.")] = None,
    settings: Settings = None,
) -> Shown:
    """Update a number. Omitted fields stay; --set label=null clears the label."""
    held = number_of(client, number)
    fields: Any = body(None, settings, label=label, inbound_url=inbound_url, status_url=status_url)
    return Card(thing=client.phone_numbers.update(held.id, **fields), fields=FIELDS, title="Updated")


@asks(numbers, "bulk-order")
def bulk_order(
    client: "AgentMessage",
    *,
    quantity: Annotated[int, typer.Argument(min=1, help="Quantity.")],
    area_code: Annotated[str | None, typer.Option(help="Area code, three digits, such as 415.")] = None,
    kind: Kind = None,
    label: Annotated[str | None, typer.Option(help="Label of the numbers.")] = None,
) -> Shown:
    """Order many numbers by criteria. `numbers bulk-get` shows the progress of a long order."""
    asked = chosen(area_code=area_code, number_type=kind, label=label)
    return Card(thing=client.phone_numbers.bulk_order(quantity=quantity, **asked), fields=BULK, title="Ordered")


@asks(numbers, "bulk-get")
def bulk_get(
    client: "AgentMessage", *, order: Annotated[str, typer.Argument(metavar="ID", help="Bulk order id.")]
) -> Shown:
    """Show the progress of a bulk order."""
    return Card(thing=client.phone_numbers.get_bulk_order(order), fields=BULK, title="Bulk order")


@asks(numbers, "bulk-release")
def bulk_release(
    client: "AgentMessage",
    *,
    number: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Your numbers or their ids.")],
    yes: Yes = False,
) -> Shown:
    """Release many numbers. They cannot be recovered. Asks for confirmation unless --yes."""
    ids = [number_of(client, word).id for word in number]
    require_yes(f"Release {len(ids)} numbers? They cannot be recovered.", is_given=yes)
    return Card(
        thing=client.phone_numbers.bulk_release(ids=ids),
        fields=("released", "already_released", "unknown"),
        title="Released",
    )


@asks(numbers, "attach")
def attach(
    client: "AgentMessage", *, number: NumberWord, campaign: Annotated[str, typer.Argument(help="Campaign id.")]
) -> Shown:
    """Attach a number to a campaign. `numbers line-option` shows the progress at the carrier."""
    held = number_of(client, number)
    after = client.phone_numbers.attach_campaign(held.id, campaign_id=campaign)
    return Card(thing=after, fields=FIELDS, title="Attached")


@asks(numbers, "detach")
def detach(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Detach a number from its campaign. It can still receive."""
    held = number_of(client, number)
    return Card(thing=client.phone_numbers.detach_campaign(held.id), fields=FIELDS, title="Detached")


@asks(numbers, "release")
def release(client: "AgentMessage", *, number: NumberWord, yes: Yes = False) -> Shown:
    """Release a number. It cannot be recovered. Asks for confirmation unless --yes."""
    held = number_of(client, number)
    require_yes(f"Release {held.number}? It cannot be recovered.", is_given=yes)
    client.phone_numbers.release(held.id)
    return Sentence(
        words=f"{held.number} is released.", value={"id": held.id, "number": held.number, "status": "released"}
    )


@asks(numbers, "line-option")
def line(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Show the desired and the observed campaign binding at the carrier, and the next step."""
    held = number_of(client, number)
    return Card(
        thing=client.phone_numbers.get_carrier_line_option(held.id), fields=LINE_FIELDS, title="Carrier line option"
    )
