"""`agentmessage admin messages held|release|drop|hold`: messages held after a restore."""

from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.command import Yes, require_yes
from agentmessage.cli.database import on_database
from agentmessage.cli.errors import MISUSED, Failure
from agentmessage.cli.tables import print_json, show

HELD = ("message_id", "organization", "sender", "recipient", "created_at", "scheduled_at", "expires_at", "org_id")

Org = Annotated[UUID | None, typer.Option(help="Only messages of the organization with this id.")]
Everybody = Annotated[bool, typer.Option("--all", help="Messages of every organization.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def list_held(
    context: typer.Context,
    org: Org = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows per cell.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """List held messages: they were queued in the dump that was restored here and wait for your decision."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415 - see the room's front page
    from agentmessage.migrations.notice import WARNING  # noqa: PLC0415

    rows = on_database(context, lambda cells: admin_messages.list_held(cells, org, limit=limit))
    if rows and not as_json:
        typer.echo(f"{WARNING}\nSend them: `admin messages release`. Give them up: `admin messages drop`.\n")
    show(rows, columns=HELD, title="Held messages, oldest first", as_json=as_json)


def release_held(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Send held messages. Recipients of messages sent after the dump was taken receive them a second time."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415
    from agentmessage.migrations.notice import WARNING  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    require_yes(f"{WARNING} Send the held messages, possibly a second time?", is_given=yes)
    outcome = on_database(context, lambda cells: admin_messages.release_held(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Released: {outcome.released}. Expired, now with unknown outcome: {outcome.dropped}.")


def drop_held(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Drop held messages. They become `undelivered` with the error `unknown` and are not charged."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    require_yes("Drop the held messages? They will not be sent.", is_given=yes)
    outcome = on_database(context, lambda cells: admin_messages.drop_held(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Dropped, now with unknown outcome: {outcome.dropped}.")


def hold_queued(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Hold all queued messages. Run it before workers start on a restored copy of the database files."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    outcome = on_database(context, lambda cells: admin_messages.hold_queued(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Held: {outcome.held}. See `admin messages held`.")


def _require_scope(org: UUID | None, *, everybody: bool) -> None:
    if (org is None) is not everybody:
        raise Failure("Give either --org ID or --all", status=MISUSED)


COMMANDS = {"held": list_held, "release": release_held, "drop": drop_held, "hold": hold_queued}
