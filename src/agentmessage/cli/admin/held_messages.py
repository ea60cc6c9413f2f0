"""`agentmessage admin messages`: what a restore leaves to the operator to decide."""

from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.command import Yes, require_yes
from agentmessage.cli.database import on_database
from agentmessage.cli.errors import MISUSED, Failure
from agentmessage.cli.tables import print_json, show

messages = typer.Typer(no_args_is_help=True, help="Messages that are held since a restore.")

GROUPS = {"messages": messages}

HELD = ("message_id", "organization", "sender", "recipient", "created_at", "scheduled_at", "expires_at", "org_id")

Org = Annotated[UUID | None, typer.Option(help="Only those of the organization with this id.")]
Everybody = Annotated[bool, typer.Option("--all", help="Those of every organization.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]


@messages.command("held")
def list_held(
    context: typer.Context,
    org: Org = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many of each cell.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show the messages that wait for your decision: they were queued when a dump was taken that was restored here."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415 - see the room's front page
    from agentmessage.migrations.notice import WARNING  # noqa: PLC0415

    rows = on_database(context, lambda cells: admin_messages.list_held(cells, org, limit=limit))
    if rows and not as_json:
        typer.echo(f"{WARNING}\nSend them after all: `admin messages release`; give them up: `admin messages drop`.\n")
    show(rows, columns=HELD, title="Held messages, the oldest first", as_json=as_json)


@messages.command("release")
def release_held(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Send held messages after all. Whoever was sent one after the dump was taken is sent it again."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415
    from agentmessage.migrations.notice import WARNING  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    require_yes(f"{WARNING} Send what is held, possibly a second time?", is_given=yes)
    outcome = on_database(context, lambda cells: admin_messages.release_held(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Released: {outcome.released}. Too late for it, and now of unknown outcome: {outcome.dropped}.")


@messages.command("drop")
def drop_held(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Give held messages up. They become `undelivered` with the error `unknown`, and cost nothing."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    require_yes("Give up what is held? It is not sent from here any more.", is_given=yes)
    outcome = on_database(context, lambda cells: admin_messages.drop_held(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Dropped, now of unknown outcome: {outcome.dropped}.")


@messages.command("hold")
def hold_queued(
    context: typer.Context,
    org: Org = None,
    everybody: Everybody = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Hold everything that waits, as after a restore: before workers start on a restored copy of the server's files."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415

    _require_scope(org, everybody=everybody)
    outcome = on_database(context, lambda cells: admin_messages.hold_queued(cells, org))
    if as_json:
        print_json(outcome)
        return
    typer.echo(f"Held: {outcome.held}. See `admin messages held`.")


def _require_scope(org: UUID | None, *, everybody: bool) -> None:
    if (org is None) is not everybody:
        raise Failure("Say whose: either --org ID or --all", status=MISUSED)
