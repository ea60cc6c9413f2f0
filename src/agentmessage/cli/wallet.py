"""`agentmessage wallet`."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from agentmessage.cli.command import Limit, asks, chosen, newest, page_size
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.tables import print_json, print_json_line, show
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import FeeCatalog

wallet = typer.Typer(no_args_is_help=True, help="Your wallet: balance, transactions, top-ups and prices.")

FIELDS = (
    "balance_cents",
    "mtd_spend_cents",
    "projected_month_total_cents",
    "plan_tier",
    "throughput_tier",
    "throughput_per_sec",
    "throughput_per_min",
    "auto_topup_enabled",
    "auto_topup_amount_cents",
    "min_topup_cents",
)
FILLED_BY = "Order a number or send a message to create one."
TRANSACTIONS = ("ts", "kind", "amount_cents", "balance_after_cents", "source", "source_ref", "id")
USAGE = ("ts", "kind", "quantity", "unit_cost_cents", "total_cents", "ref_kind", "ref_id", "id")
PRODUCTS = ("stripe_product_id", "amount_cents", "display_label")
AUTO_TOPUP = (
    "enabled",
    "stripe_product_id",
    "auto_topup_amount_cents",
    "auto_topup_threshold_cents",
    "next_charge_at",
    "last_failure",
)
FEES = ("fee", "of", "price_cents")
KINDS = (
    "outbound_sms",
    "outbound_mms",
    "inbound_sms",
    "inbound_mms",
    "number_month",
    "campaign_month",
    "brand_filing_onetime",
    "lookup",
)

From = Annotated[datetime | None, typer.Option("--from", parser=past, help="Start time, or duration ago such as 7d.")]
To = Annotated[datetime | None, typer.Option("--to", parser=past, help="End time; default: now.")]
MOST = 500


@asks(wallet, "show")
def show_wallet(client: "AgentMessage") -> Shown:
    """Show the balance and the month's spend."""
    return Card(thing=client.billing.get_wallet(), fields=FIELDS, title="Wallet")


@asks(wallet, "transactions")
def transactions(
    client: "AgentMessage",
    *,
    kind: Annotated[str | None, typer.Option(help="Filter by kind of transaction.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 50,
) -> Shown:
    """List wallet transactions, newest first; default: the last 30 days."""
    asked = chosen(kind=kind, from_=from_, to=to)
    page = client.billing.list_transactions(limit=page_size(limit, most=MOST), **asked)
    return Table(rows=newest(page, limit), columns=TRANSACTIONS, title="Transactions", filled_by=FILLED_BY)


@asks(wallet, "usage")
def usage(
    client: "AgentMessage",
    *,
    kind: Annotated[str | None, typer.Option(help="Filter by kind, such as outbound_sms.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 50,
) -> Shown:
    """List usage, newest first; default: the last 30 days."""
    asked = chosen(kind=kind, from_=from_, to=to)
    page = client.billing.list_usage(limit=page_size(limit, most=MOST), **asked)
    return Table(rows=newest(page, limit), columns=USAGE, title="Usage", filled_by=FILLED_BY)


@asks(wallet, "products")
def products(client: "AgentMessage") -> Shown:
    """List the top-up products."""
    found = client.billing.list_topup_products().products
    filled_by = "The operator offers no top-ups; ask them to credit the wallet."
    return Table(rows=found, columns=PRODUCTS, title="Top-ups", filled_by=filled_by)


@asks(wallet, "topup")
def top_up(
    client: "AgentMessage",
    *,
    product: Annotated[str, typer.Argument(help="Product id, from `wallet products`.")],
    success_url: Annotated[str, typer.Option(help="Return URL after payment.")],
    cancel_url: Annotated[str, typer.Option(help="Return URL after cancellation.")],
) -> Shown:
    """Create a link to the checkout page of a top-up."""
    made = client.billing.create_topup(stripe_product_id=product, success_url=success_url, cancel_url=cancel_url)
    return Card(thing=made, fields=("checkout_url", "checkout_session_id"), title="Top-up")


@asks(wallet, "auto-topup")
def auto_topup(
    client: "AgentMessage",
    *,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Turn it on or off; default: show it.")] = None,
    product: Annotated[str | None, typer.Option(help="Product id, from `wallet products`; required with --on.")] = None,
) -> Shown:
    """Show or change automatic top-up."""
    if enabled is None:
        return Card(thing=client.billing.get_auto_topup(), fields=AUTO_TOPUP, title="Automatic top-up")
    changed = client.billing.set_auto_topup(enabled=enabled, **chosen(stripe_product_id=product))
    return Card(thing=changed, fields=AUTO_TOPUP, title="Updated")


@asks(wallet, "portal")
def portal(
    client: "AgentMessage",
    *,
    return_url: Annotated[str, typer.Option(help="Return URL.")],
) -> Shown:
    """Create a link to the portal with your cards and invoices."""
    made = client.billing.create_portal_session(return_url=return_url)
    return Card(thing=made, fields=("portal_url", "expires_at"), title="Portal")


@asks(wallet, "export")
def export(client: "AgentMessage", *, from_: From = None, to: To = None) -> Shown:
    """Export all usage as newline-delimited JSON."""
    with client.billing.stream_usage(**chosen(from_=from_, to=to)) as rows:
        for row in rows:
            print_json_line(row)
    return Written()


@asks(wallet, "fees")
def fees(client: "AgentMessage") -> Shown:
    """Show current prices."""
    return PriceList(catalog=client.billing.get_fees())


class Written(Struct, frozen=True):
    """Everything is on standard output already."""

    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """Nothing more."""
        del as_json


class PriceLine(Struct, frozen=True, kw_only=True):
    """One price: item and variant."""

    fee: str
    of: str
    price_cents: int


class PriceList(Struct, frozen=True, kw_only=True):
    """All prices."""

    catalog: "FeeCatalog"
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """The catalog as JSON, or one line per price."""
        if as_json:
            print_json(self.catalog)
            return
        show(self._lines(), columns=FEES, title="Prices", as_json=False)
        sys.stdout.write("Messages are priced per segment, numbers and campaigns per month.\n")

    def _lines(self) -> Sequence[PriceLine]:
        lines: list[PriceLine] = []
        for kind in KINDS:
            fee = getattr(self.catalog, kind)
            lines += [PriceLine(fee=kind, of=price.ref, price_cents=price.unit_cost_cents) for price in fee.by_ref]
            if fee.default_unit_cost_cents is not None:
                lines.append(PriceLine(fee=kind, of="all others", price_cents=fee.default_unit_cost_cents))
        return lines
