"""`agentmessage numbers`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Limit, NumberWord, Yes, asks, chosen, newest, number_of, page_size, require_yes
from agentmessage.cli.output import Card, Sentence, Shown, Table
from agentmessage.cli.request_body import Settings, body

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

numbers = typer.Typer(no_args_is_help=True, help="Your phone numbers.")

FILLED_BY = "`agentmessage numbers search` finds one to order."
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

Kind = Annotated[str | None, typer.Option(help="local, toll_free or short_code.")]


@asks(numbers, "list")
def list_numbers(
    client: "AgentMessage",
    *,
    campaign: Annotated[str | None, typer.Option(help="Only those on the campaign with this id.")] = None,
    kind: Kind = None,
    search: Annotated[str | None, typer.Option(help="Part of the number or the label.")] = None,
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
    area_code: Annotated[str | None, typer.Option(help="Three digits, such as 415.")] = None,
    kind: Kind = None,
    pattern: Annotated[str | None, typer.Option(help="Digits that the number shall contain.")] = None,
    quantity: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
) -> Shown:
    """Show numbers that can be ordered now; nothing is reserved."""
    asked = chosen(area_code=area_code, number_type=kind, pattern=pattern)
    found = client.phone_numbers.search(quantity=quantity, **asked)
    return Table(rows=found, columns=("number", "number_type"), title="For sale", filled_by=OTHER_SEARCH)


@asks(numbers, "order")
def order_numbers(
    client: "AgentMessage",
    *,
    wanted: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="As `numbers search` shows them.")],
    campaign: Annotated[str | None, typer.Option(help="Id of a campaign to attach.")] = None,
    label: Annotated[str | None, typer.Option(help="Your own name for them.")] = None,
    inbound_url: Annotated[str | None, typer.Option(help="Where inbound messages are delivered.")] = None,
    status_url: Annotated[str | None, typer.Option(help="Where the state of your messages is delivered.")] = None,
) -> Shown:
    """Order numbers: all of them or none. The first month is charged."""
    asked = chosen(campaign_id=campaign, label=label, inbound_url=inbound_url, status_url=status_url)
    ordered = client.phone_numbers.order(numbers=wanted, **asked)
    if ordered.http.status != ORDERED:
        typer.echo("The carrier has not answered yet; `agentmessage numbers orders` shows how far it is.", err=True)
    return Table(rows=ordered, columns=COLUMNS, title="Ordered")


@asks(numbers, "get")
def get_number(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Show one number."""
    return Card(thing=number_of(client, number), fields=FIELDS, title="Number")


@asks(numbers, "orders")
def list_orders(
    client: "AgentMessage",
    *,
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your orders of numbers, newest first."""
    page = client.phone_numbers.orders.list(limit=page_size(limit), **chosen(status=status))
    return Table(rows=newest(page, limit), columns=ORDERS, title="Orders", filled_by=FILLED_BY)


@asks(numbers, "order-get")
def get_order(
    client: "AgentMessage", *, order: Annotated[str, typer.Argument(metavar="ID", help="Of the order.")]
) -> Shown:
    """Show one order, and what became of each of its numbers."""
    return Card(thing=client.phone_numbers.orders.get(order), fields=ORDER, title="Order")


@asks(numbers, "update")
def update(
    client: "AgentMessage",
    *,
    number: NumberWord,
    label: Annotated[str | None, typer.Option(help="Your own name for it.")] = None,
    inbound_url: Annotated[str | None, typer.Option(help="Where inbound messages are delivered.")] = None,
    status_url: Annotated[str | None, typer.Option(help="Where the state of your messages is delivered.")] = None,
    settings: Settings = None,
) -> Shown:
    """Change a number; what is left out stays. --set label=null clears it."""
    held = number_of(client, number)
    fields: Any = body(None, settings, label=label, inbound_url=inbound_url, status_url=status_url)
    return Card(thing=client.phone_numbers.update(held.id, **fields), fields=FIELDS, title="Changed")


@asks(numbers, "bulk-order")
def bulk_order(
    client: "AgentMessage",
    *,
    quantity: Annotated[int, typer.Argument(min=1, help="How many.")],
    area_code: Annotated[str | None, typer.Option(help="Three digits, such as 415.")] = None,
    kind: Kind = None,
    label: Annotated[str | None, typer.Option(help="Your own name for them.")] = None,
) -> Shown:
    """Order any numbers that fit, many at once. `numbers bulk-get` shows an order that takes longer."""
    asked = chosen(area_code=area_code, number_type=kind, label=label)
    return Card(thing=client.phone_numbers.bulk_order(quantity=quantity, **asked), fields=BULK, title="Ordered")


@asks(numbers, "bulk-get")
def bulk_get(
    client: "AgentMessage", *, order: Annotated[str, typer.Argument(metavar="ID", help="Of the bulk order.")]
) -> Shown:
    """Show how far a bulk order is."""
    return Card(thing=client.phone_numbers.get_bulk_order(order), fields=BULK, title="Bulk order")


@asks(numbers, "bulk-release")
def bulk_release(
    client: "AgentMessage",
    *,
    number: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Your numbers, or their ids.")],
    yes: Yes = False,
) -> Shown:
    """Give many numbers up. They cannot be had back: asks before, unless --yes."""
    ids = [number_of(client, word).id for word in number]
    require_yes(f"Give up {len(ids)} numbers? They cannot be had back.", is_given=yes)
    return Card(
        thing=client.phone_numbers.bulk_release(ids=ids),
        fields=("released", "already_released", "unknown"),
        title="Released",
    )


@asks(numbers, "attach")
def attach(
    client: "AgentMessage", *, number: NumberWord, campaign: Annotated[str, typer.Argument(help="Id of the campaign.")]
) -> Shown:
    """Put a number on a campaign; the carrier follows, and `numbers line` shows how far it is."""
    held = number_of(client, number)
    after = client.phone_numbers.attach_campaign(held.id, campaign_id=campaign)
    return Card(thing=after, fields=FIELDS, title="Attached")


@asks(numbers, "detach")
def detach(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Take a number off its campaign; it can still receive."""
    held = number_of(client, number)
    return Card(thing=client.phone_numbers.detach_campaign(held.id), fields=FIELDS, title="Detached")


@asks(numbers, "release")
def release(client: "AgentMessage", *, number: NumberWord, yes: Yes = False) -> Shown:
    """Give a number up. It cannot be had back: asks before, unless --yes."""
    held = number_of(client, number)
    require_yes(f"Give up {held.number}? It cannot be had back.", is_given=yes)
    client.phone_numbers.release(held.id)
    return Sentence(
        words=f"{held.number} is released.", value={"id": held.id, "number": held.number, "status": "released"}
    )


@asks(numbers, "line")
def line(client: "AgentMessage", *, number: NumberWord) -> Shown:
    """Show what the carrier has, what it shall have, and what happens next."""
    held = number_of(client, number)
    return Card(thing=client.phone_numbers.get_carrier_line_option(held.id), fields=LINE_FIELDS, title="Carrier line")
