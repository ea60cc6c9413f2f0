"""`agentmessage wallet`."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from agentmessage.cli.asking import Limit, asks, chosen, newest, page_size
from agentmessage.cli.moments import past
from agentmessage.cli.shown import Card, Shown, Table
from agentmessage.cli.tables import print_json, show

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
def usage(client: "AgentMessage", *, from_: From = None, to: To = None, limit: Limit = 50) -> Shown:
    """List what was paid for, newest first; the last 30 days unless told otherwise."""
    asked = chosen(from_=from_, to=to)
    page = client.billing.list_usage(limit=page_size(limit, most=MOST), **asked)
    return Table(rows=newest(page, limit), columns=USAGE, title="Usage", filled_by=FILLED_BY)


@asks(wallet, "fees")
def fees(client: "AgentMessage") -> Shown:
    """Show what everything costs now."""
    return PriceList(catalog=client.billing.get_fees())


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
