"""`agentmessage admin audit|metrics`: verify the audit log and the metric rollups."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.database import on_database, with_encryption_key
from agentmessage.cli.errors import FAILED
from agentmessage.cli.tables import say, show

audit = typer.Typer(no_args_is_help=True, help="List and verify the audit log.")
metrics = typer.Typer(no_args_is_help=True, help="Check and rebuild the metric rollups.")

GROUPS = {"audit": audit, "metrics": metrics}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

PROOF_COLUMNS = ("org_id", "cell", "length", "head", "harm", "position", "row_id")
ACT_COLUMNS = ("occurred_at", "actor_label", "action", "resource_type", "resource_id", "payload")
DIFFERENCE_COLUMNS = ("day", "org_id", "metric", "labels", "counted", "recounted")


@audit.command("verify")
def verify_audit(
    context: typer.Context,
    org: Annotated[UUID | None, typer.Option(help="Verify only the chain of this organization.")] = None,
    heads: Annotated[
        Path | None, typer.Option(help="Output of an earlier `verify --json`; the chains must contain its heads.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Verify every chain. Exits with 1 if a row was altered, removed, inserted, or has no seal."""
    from agentmessage.admin import audit as admin_audit  # noqa: PLC0415 - see the room's front page
    from agentmessage.settings import read_settings  # noqa: PLC0415

    settings = with_encryption_key(read_settings(), context)
    proofs = on_database(context, lambda cells: admin_audit.verify(cells, settings, org_id=org, heads=heads))
    show(proofs, columns=PROOF_COLUMNS, title="Chains", as_json=as_json)
    harmed = [proof for proof in proofs if proof.harm is not None]
    for proof in harmed:
        place = f" at position {proof.position}" if proof.position is not None else ""
        say(f"{proof.org_id}: {proof.harm}{place}{f', row {proof.row_id}' if proof.row_id else ''}", is_harm=True)
    if harmed:
        raise typer.Exit(FAILED)


@audit.command("list")
def list_acts(
    context: typer.Context,
    org: Annotated[UUID | None, typer.Option(help="Organization id; default: actions on the platform itself.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows.")] = 50,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """List audited actions, newest first."""
    from agentmessage.admin import audit as admin_audit  # noqa: PLC0415

    rows = on_database(context, lambda cells: admin_audit.list_acts(cells, org, limit=limit))
    show(rows, columns=ACT_COLUMNS, title="Actions", as_json=as_json)


@metrics.command("check")
def check_metrics(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Compare the message rollups with a recount of the events. Exits with 1 if they differ."""
    from agentmessage.admin import rollups  # noqa: PLC0415

    differences = on_database(context, rollups.check)
    show(differences, columns=DIFFERENCE_COLUMNS, title="Days that differ", as_json=as_json)
    if differences:
        raise typer.Exit(FAILED)


@metrics.command("rebuild")
def rebuild_metrics(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Rebuild the message rollups from the stored events. The action is audited."""
    from agentmessage.admin import rollups  # noqa: PLC0415

    rebuilt = on_database(context, rollups.rebuild)
    show(rebuilt, columns=("cell", "sums"), title="Rebuilt", as_json=as_json)
