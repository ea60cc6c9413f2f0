"""`agentmessage admin messages`: where messages are, and what becomes of held ones."""

from typing import Annotated

import typer

from agentmessage.cli.admin import held_messages
from agentmessage.cli.database import on_database
from agentmessage.cli.tables import print_json, show

messages = typer.Typer(
    no_args_is_help=True, help="Send queues, carrier connections, and messages held after a restore."
)

GROUPS = {"messages": messages}

QUEUES = (
    "organization",
    "account",
    "queue",
    "due",
    "delayed",
    "in_flight",
    "held",
    "oldest_at",
    "paused_until",
    "org_id",
)
CONNECTIONS = ("worker", "account", "carrier", "channels", "is_up", "capacity")
UNMATCHED = ("received_at", "account", "carrier", "carrier_message_id", "sender", "status", "reason", "raw")
UNKNOWN = ("message_id", "account", "sender", "recipient", "unknown_at", "reason", "org_id")


@messages.command("status")
def message_status(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows per table.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show send queues, carrier connections, and the unknown outcomes and unmatched receipts of the last 24 hours."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415 - see the room's front page

    report = on_database(context, lambda cells: admin_messages.report(cells, limit=limit))
    if as_json:
        print_json(report)
        return
    show(report.queues, columns=QUEUES, title="Send queues by organization", as_json=False)
    show(report.connections, columns=CONNECTIONS, title="Carrier connections of live workers", as_json=False)
    show(report.unknown, columns=UNKNOWN, title="Outcome unknown, last 24 hours", as_json=False)
    show(report.unmatched_receipts, columns=UNMATCHED, title="Unmatched receipts, last 24 hours", as_json=False)


for name, command in held_messages.COMMANDS.items():
    messages.command(name)(command)
