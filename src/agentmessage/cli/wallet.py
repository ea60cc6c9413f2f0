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

wallet = typer.Typer(no_args_is_help=True, help="What texting costs you.")

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
FILLED_BY = "Ordering a number or sending a message makes the first."
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

From = Annotated[datetime | None, typer.Option("--from", parser=past, help="From a time, or a while ago such as 7d.")]
To = Annotated[datetime | None, typer.Option("--to", parser=past, help="Until then; now if left out.")]
MOST = 500


@asks(wallet, "show")
def show_wallet(client: "AgentMessage") -> Shown:
    """Show what is left, and what the month has cost."""
    return Card(thing=client.billing.get_wallet(), fields=FIELDS, title="Wallet")


@asks(wallet, "transactions")
def transactions(
    client: "AgentMessage",
    *,
    kind: Annotated[str | None, typer.Option(help="Only this kind of movement.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 50,
) -> Shown:
    """List what moved the wallet, newest first; the last 30 days unless told otherwise."""
    asked = chosen(kind=kind, from_=from_, to=to)
    page = client.billing.list_transactions(limit=page_size(limit, most=MOST), **asked)
    return Table(rows=newest(page, limit), columns=TRANSACTIONS, title="Transactions", filled_by=FILLED_BY)


@asks(wallet, "usage")
def usage(
    client: "AgentMessage",
    *,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as outbound_sms.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 50,
) -> Shown:
    """List what was paid for, newest first; the last 30 days unless told otherwise."""
    asked = chosen(kind=kind, from_=from_, to=to)
    page = client.billing.list_usage(limit=page_size(limit, most=MOST), **asked)
    return Table(rows=newest(page, limit), columns=USAGE, title="Usage", filled_by=FILLED_BY)


@asks(wallet, "products")
def products(client: "AgentMessage") -> Shown:
    """List what can be bought to top the wallet up."""
    found = client.billing.list_topup_products().products
    filled_by = "The host of the platform sells none; ask them to credit the wallet."
    return Table(rows=found, columns=PRODUCTS, title="Top-ups", filled_by=filled_by)


@asks(wallet, "topup")
def top_up(
    client: "AgentMessage",
    *,
    product: Annotated[str, typer.Argument(help="As `wallet products` shows it.")],
    success_url: Annotated[str, typer.Option(help="Where the payment page sends you back to.")],
    cancel_url: Annotated[str, typer.Option(help="Where it sends you back to when you change your mind.")],
) -> Shown:
    """Make a link to a page on which the top-up is paid."""
    made = client.billing.create_topup(stripe_product_id=product, success_url=success_url, cancel_url=cancel_url)
    return Card(thing=made, fields=("checkout_url", "checkout_session_id"), title="Top-up")


@asks(wallet, "auto-topup")
def auto_topup(
    client: "AgentMessage",
    *,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Turn it on or off; shows it if left out.")] = None,
    product: Annotated[str | None, typer.Option(help="With --on: what is bought, from `wallet products`.")] = None,
) -> Shown:
    """Show or change what is bought automatically when the wallet runs low."""
    if enabled is None:
        return Card(thing=client.billing.get_auto_topup(), fields=AUTO_TOPUP, title="Automatic top-up")
    changed = client.billing.set_auto_topup(enabled=enabled, **chosen(stripe_product_id=product))
    return Card(thing=changed, fields=AUTO_TOPUP, title="Changed")


@asks(wallet, "portal")
def portal(
    client: "AgentMessage",
    *,
    return_url: Annotated[str, typer.Option(help="Where the portal sends you back to.")],
) -> Shown:
    """Make a link to the page with your cards and invoices."""
    made = client.billing.create_portal_session(return_url=return_url)
    return Card(thing=made, fields=("portal_url", "expires_at"), title="Portal")


@asks(wallet, "export")
def export(client: "AgentMessage", *, from_: From = None, to: To = None) -> Shown:
    """Write everything that was paid for, one JSON object a line, however much it is."""
    with client.billing.stream_usage(**chosen(from_=from_, to=to)) as rows:
        for row in rows:
            print_json_line(row)
    return Written()


@asks(wallet, "fees")
def fees(client: "AgentMessage") -> Shown:
    """Show what everything costs now."""
    return PriceList(catalog=client.billing.get_fees())


class Written(Struct, frozen=True):
    """Everything is on standard output already."""

    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """Nothing more."""
        del as_json


class PriceLine(Struct, frozen=True, kw_only=True):
    """One price: of what, of which kind of it."""

    fee: str
    of: str
    price_cents: int


class PriceList(Struct, frozen=True, kw_only=True):
    """All prices."""

    catalog: "FeeCatalog"
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """The catalog as JSON, or a line for each price."""
        if as_json:
            print_json(self.catalog)
            return
        show(self._lines(), columns=FEES, title="Prices", as_json=False)
        sys.stdout.write("Texts cost by the part, numbers and campaigns by the month.\n")

    def _lines(self) -> Sequence[PriceLine]:
        lines: list[PriceLine] = []
        for kind in KINDS:
            fee = getattr(self.catalog, kind)
            lines += [PriceLine(fee=kind, of=one.ref, price_cents=one.unit_cost_cents) for one in fee.by_ref]
            if fee.default_unit_cost_cents is not None:
                lines.append(PriceLine(fee=kind, of="all others", price_cents=fee.default_unit_cost_cents))
        return lines
