"""`agentmessage admin inventory|carriers|reconcile`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agentmessage.cli.database import on_database, with_encryption_key
from agentmessage.cli.tables import print_json, show

inventory = typer.Typer(no_args_is_help=True, help="The pool of numbers.")
carriers = typer.Typer(no_args_is_help=True, help="Lines into the phone network.")
reconcile = typer.Typer(no_args_is_help=True, help="What numbers should be at their carriers, and what they are.")

GROUPS = {"inventory": inventory, "carriers": carriers, "reconcile": reconcile}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Account(StrEnum):
    """A carrier account."""

    LIVE = "live"
    SANDBOX = "sandbox"


class InventoryState(StrEnum):
    """What a number in the pool is doing."""

    AVAILABLE = "available"
    ORDERING = "ordering"
    ASSIGNED = "assigned"
    QUARANTINED = "quarantined"
    RETIRED = "retired"


@inventory.command("import")
def import_inventory(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="One number a line in E.164, optionally a comma and its type.")],
    account: Annotated[Account, typer.Option(help="The carrier account that holds the numbers.")] = Account.LIVE,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Put numbers that the carrier account already holds into the pool."""
    from agentmessage.admin import organizations  # noqa: PLC0415 - see the room's front page

    result = on_database(context, lambda cells: organizations.import_inventory(cells, file, account=account.value))
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{result.imported} of {result.read} numbers are new in the pool of the {result.account} account.")


@inventory.command("list")
def list_inventory(  # noqa: PLR0917 - typer makes one option of each
    context: typer.Context,
    account: Annotated[Account | None, typer.Option(help="Only this carrier account.")] = None,
    state: Annotated[InventoryState | None, typer.Option(help="Only in this state.")] = None,
    after: Annotated[str, typer.Option(help="Only numbers after this one, for the next page.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show the numbers that the platform knows of."""
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
    """Show who the carrier of live and of sandbox organizations is."""
    from agentmessage.admin import carriers as admin_carriers  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    columns = ("account", "carrier", "is_simulated", "numbers_url", "numbers_account", "registry_url", "writes_per_min")
    settings = with_encryption_key(read_settings(), context)
    show(admin_carriers.show_carriers(settings), columns=columns, title="Carriers", as_json=as_json)


@reconcile.command("status")
def reconcile_status(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Show how many numbers are where on their way, open orders, sweeps and breakers."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    report = on_database(context, organizations.reconcile_report)
    if as_json:
        print_json(report)
        return
    phases = ("account", "phase", "numbers", "due", "oldest_wish_at")
    show(report.phases, columns=phases, title="Numbers by phase", as_json=False)
    show(report.orders, columns=("account", "state", "orders", "oldest_at"), title="Open orders", as_json=False)
    show(report.sweeps, columns=("account", "due_at", "finished_at", "result"), title="Sweeps", as_json=False)
    show(report.breakers, columns=("account", "kind", "failures", "open_until"), title="Breakers", as_json=False)


@reconcile.command("drift")
def reconcile_drift(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Healed ones too.")] = False,  # noqa: FBT002 - a flag
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what carriers have otherwise than we believe."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    rows = on_database(context, lambda cells: organizations.list_drift(cells, is_open=not everything, limit=limit))
    columns = ("number", "account", "kind", "expected_campaign", "observed_campaign", "found_at", "resolved_at")
    show(rows, columns=columns, title="Drift", as_json=as_json)


@reconcile.command("retry")
def reconcile_retry(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="In E.164, such as +14155550123.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Have one number looked at now, whatever it waits for."""
    from agentmessage.admin import organizations  # noqa: PLC0415

    rows = on_database(context, lambda cells: organizations.retry_number(cells, number))
    columns = ("number", "account", "phase", "trouble", "error_code", "error_text", "org_id")
    show(rows, columns=columns, title="Will be looked at now", as_json=as_json)
