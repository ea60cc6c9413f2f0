"""`agentmessage admin wallet`."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.database import on_database
from agentmessage.cli.errors import FAILED
from agentmessage.cli.tables import dollars, print_json, show, show_one

wallet = typer.Typer(no_args_is_help=True, help="Money.")

GROUPS = {"wallet": wallet}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Org = Annotated[UUID, typer.Option(help="The organization's id.")]

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
    cents: Annotated[int, typer.Option(min=1, max=100_000_000, help="US cents to add.")],
    reference: Annotated[str, typer.Option(help="Of the payment: the same one again adds nothing.")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Add money to an organization's wallet."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415 - see the room's front page

    after = on_database(context, lambda cells: admin_wallets.credit(cells, org, cents=cents, reference=reference))
    show_one(after, columns=("org_id", "credited_cents", "balance_cents"), title="Wallet", as_json=as_json)


@wallet.command("show")
def show_wallet(context: typer.Context, org: Org, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Show what a wallet holds, what queued texts hold of it, and what was spent."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415

    found = on_database(context, lambda cells: admin_wallets.show(cells, org))
    show_one(found, columns=WALLET_COLUMNS, title="Wallet", as_json=as_json)


@wallet.command("statement")
def show_statement(
    context: typer.Context,
    org: Org,
    begins_at: Annotated[
        datetime | None, typer.Option("--from", formats=FORMS, help="Included, UTC; the month's beginning if left out.")
    ] = None,
    ends_at: Annotated[
        datetime | None, typer.Option("--to", formats=FORMS, help="Excluded, UTC; now if left out.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what moved a wallet, by day; ends with status 1 when it does not come to the balance."""
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
        typer.echo("The movements do not come to the closing balance.", err=True)
        raise typer.Exit(FAILED)


@wallet.command("check")
def check_wallets(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Recount every ledger; ends with status 1 and the organizations whose books do not agree."""
    from agentmessage.admin import wallets as admin_wallets  # noqa: PLC0415

    faults = on_database(context, admin_wallets.check)
    if faults or as_json:
        show(faults, columns=FAULT_COLUMNS, title="Faults", as_json=as_json)
    else:
        typer.echo("Every ledger balances, and every sum is what was booked.")
    if faults:
        raise typer.Exit(FAILED)
