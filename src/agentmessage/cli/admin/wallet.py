"""`agentmessage admin wallet`."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.database import on_database
from agentmessage.cli.errors import FAILED
from agentmessage.cli.tables import dollars, print_json, show, show_one

wallet = typer.Typer(no_args_is_help=True, help="Show and credit wallets; check the ledger.")

GROUPS = {"wallet": wallet}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Org = Annotated[UUID, typer.Option(help="Organization id.")]

FORMS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]

WALLET_COLUMNS = (
    "org_id",
    "balance_cents",
    "held_cents",
    "mtd_spend_cents",
    "lifetime_spend_cents",
    "throughput_tier",
    "auto_topup_enabled",
)
STATEMENT_COLUMNS = ("day", "what", "source", "reference", "number", "amount_cents", "balance_cents")
FAULT_COLUMNS = ("org_id", "cell", "fault")


@wallet.command("credit")
def credit_wallet(
    context: typer.Context,
    org: Org,
    cents: Annotated[int, typer.Option(min=1, max=100_000_000, help="Amount to add, US cents.")],
    reference: Annotated[
        str, typer.Option(help="Payment reference; a second credit with the same reference adds nothing.")
    ] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Credit an organization's wallet."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415 - see the room's front page

    after = on_database(context, lambda cells: admin_wallets.credit(cells, org, cents=cents, reference=reference))
    show_one(after, columns=("org_id", "credited_cents", "balance_cents"), title="Wallet", as_json=as_json)


@wallet.command("show")
def show_wallet(context: typer.Context, org: Org, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Show a wallet: balance, amount reserved for queued messages, and spend."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415

    found = on_database(context, lambda cells: admin_wallets.show(cells, org))
    show_one(found, columns=WALLET_COLUMNS, title="Wallet", as_json=as_json)


@wallet.command("statement")
def show_statement(
    context: typer.Context,
    org: Org,
    begins_at: Annotated[
        datetime | None,
        typer.Option("--from", formats=FORMS, help="Start, inclusive, UTC; default: start of the month."),
    ] = None,
    ends_at: Annotated[
        datetime | None, typer.Option("--to", formats=FORMS, help="End, exclusive, UTC; default: now.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show wallet movements by day. Exits with 1 if they do not add up to the balance."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415

    begin, end = (moment and moment.replace(tzinfo=UTC) for moment in (begins_at, ends_at))
    found = on_database(context, lambda cells: admin_wallets.statement(cells, org, begins_at=begin, ends_at=end))
    if as_json:
        print_json(found)
    else:
        title = f"{found.begins_at:%Y-%m-%d %H:%M} to {found.ends_at:%Y-%m-%d %H:%M} UTC"
        show(found.lines, columns=STATEMENT_COLUMNS, title=title, as_json=False)
        typer.echo(f"Opening balance {dollars(found.opening_cents)}, closing {dollars(found.closing_cents)}.")
    if not found.agrees:
        typer.echo("The movements do not add up to the closing balance.", err=True)
        raise typer.Exit(FAILED)


@wallet.command("check")
def check_wallets(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Recount every ledger. Exits with 1 and lists the organizations whose ledger does not balance."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415

    faults = on_database(context, admin_wallets.check)
    if faults or as_json:
        show(faults, columns=FAULT_COLUMNS, title="Faults", as_json=as_json)
    else:
        typer.echo("Every ledger balances, and every total matches its entries.")
    if faults:
        raise typer.Exit(FAILED)
