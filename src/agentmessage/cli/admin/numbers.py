"""`agentmessage admin inventory|carriers|reconcile`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agentmessage.cli.database import on_database, with_encryption_key
from agentmessage.cli.tables import print_json, show

inventory = typer.Typer(no_args_is_help=True, help="Import and list the numbers of the carrier accounts.")
carriers = typer.Typer(no_args_is_help=True, help="Carrier accounts.")
reconcile = typer.Typer(no_args_is_help=True, help="Desired and observed campaign bindings.")

GROUPS = {"inventory": inventory, "carriers": carriers, "reconcile": reconcile}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Account(StrEnum):
    """A carrier account."""

    LIVE = "live"
    SANDBOX = "sandbox"


class InventoryState(StrEnum):
    """The states of a number in the inventory."""

    AVAILABLE = "available"
    ORDERING = "ordering"
    ASSIGNED = "assigned"
    QUARANTINED = "quarantined"
    RETIRED = "retired"


@inventory.command("import")
def import_inventory(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="File with one E.164 number per line, optionally followed by a comma and its type.")
    ],
    account: Annotated[Account, typer.Option(help="The carrier account that holds the numbers.")] = Account.LIVE,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Import numbers that the carrier account already holds."""
    from agentmessage.admin import organizations  # noqa: PLC0415 - see the room's front page

    result = on_database(context, lambda cells: organizations.import_inventory(cells, file, account=account.value))
    if as_json:
        print_json(result)
    else:
        typer.echo(
            f"{result.imported} of {result.read} numbers are new in the inventory of the {result.account} account."
        )


@inventory.command("list")
def list_inventory(  # noqa: PLR0917 - typer makes one option of each
    context: typer.Context,
    account: Annotated[Account | None, typer.Option(help="Filter by carrier account.")] = None,
    state: Annotated[InventoryState | None, typer.Option(help="Filter by state.")] = None,
    after: Annotated[str, typer.Option(help="Only numbers after this one (next page).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """List the numbers of the inventory."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    rows = on_database(
        context,
        lambda cells: organizations.list_inventory(
            cells, account=account and account.value, state=state and state.value, after=after, limit=limit
        ),
    )
    columns = ("number", "account", "number_type", "state", "org_id", "updated_at")
    show(rows, columns=columns, title="Inventory", as_json=as_json)


@carriers.command("show")
def show_carriers(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Show the carriers of live and sandbox organizations."""
    from agentmessage.admin import carriers as admin_carriers  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    columns = (
        "account",
        "carrier",
        "is_simulated",
        "numbers_url",
        "numbers_account",
        "registry_url",
        "max_writes_per_minute",
    )
    settings = with_encryption_key(read_settings(), context)
    show(admin_carriers.show_carriers(settings), columns=columns, title="Carriers", as_json=as_json)


@reconcile.command("status")
def reconcile_status(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Show numbers by phase, open carrier orders, drift sweeps and circuit breakers."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    report = on_database(context, organizations.reconcile_report)
    if as_json:
        print_json(report)
        return
    phases = ("account", "phase", "numbers", "due", "oldest_desired_at")
    show(report.phases, columns=phases, title="Numbers by phase", as_json=False)
    show(report.orders, columns=("account", "state", "orders", "oldest_at"), title="Open orders", as_json=False)
    show(report.sweeps, columns=("account", "due_at", "finished_at", "result"), title="Sweeps", as_json=False)
    show(report.breakers, columns=("account", "kind", "failures", "open_until"), title="Breakers", as_json=False)


@reconcile.command("drift")
def reconcile_drift(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Include repaired drift.")] = False,  # noqa: FBT002 - a flag
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """List bindings that differ between the carrier and the database."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    rows = on_database(context, lambda cells: organizations.list_drift(cells, is_open=not everything, limit=limit))
    columns = ("number", "account", "kind", "expected_campaign", "observed_campaign", "found_at", "resolved_at")
    show(rows, columns=columns, title="Drift", as_json=as_json)


@reconcile.command("retry")
def reconcile_retry(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="E.164 number, such as +14155550123.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Make one number due for the reconciler now."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    rows = on_database(context, lambda cells: organizations.retry_number(cells, number))
    columns = ("number", "account", "phase", "trouble", "error_code", "error_text", "org_id")
    show(rows, columns=columns, title="Due now", as_json=as_json)
