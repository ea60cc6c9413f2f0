"""`agentmessage admin texts`."""

from typing import Annotated

import typer

from agentmessage.cli.database import on_database
from agentmessage.cli.tables import print_json, show

texts = typer.Typer(no_args_is_help=True, help="Texts on their way.")

GROUPS = {"texts": texts}

LANES = ("organization", "account", "lane", "due", "later", "handed", "held", "oldest_at", "paused_until", "org_id")
LINES = ("worker", "account", "carrier", "channels", "is_up", "room")
STRAY = ("received_at", "account", "carrier", "carrier_message_id", "sender", "status", "why", "raw")
UNKNOWN = ("message_id", "account", "sender", "recipient", "unknown_at", "reason", "org_id")


@texts.command("status")
def text_status(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many lanes and texts.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what waits and why, the workers' lines, and the last day's unknown outcomes and stray receipts."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415 - see the room's front page

    report = on_database(context, lambda cells: admin_messages.report(cells, limit=limit))
    if as_json:
        print_json(report)
        return
    show(report.lanes, columns=LANES, title="Queue by organization and lane", as_json=False)
    show(report.lines, columns=LINES, title="Lines of living workers", as_json=False)
    show(report.unknown, columns=UNKNOWN, title="Outcome unknown, last 24 hours", as_json=False)
    show(report.stray_receipts, columns=STRAY, title="Receipts without a message, last 24 hours", as_json=False)
