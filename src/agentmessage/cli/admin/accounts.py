"""`agentmessage admin organizations|api-keys`."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from agentmessage.cli.database import on_database
from agentmessage.cli.errors import Failure
from agentmessage.cli.tables import print_json, show, show_one

organizations = typer.Typer(no_args_is_help=True, help="Organizations, each with a sandbox twin.")
api_keys = typer.Typer(no_args_is_help=True, help="API keys of an organization.")

GROUPS = {"organizations": organizations, "api-keys": api_keys}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Org = Annotated[UUID, typer.Option(help="Organization id.")]

KEY_COLUMNS = ("id", "label", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")


@organizations.command("create")
def create_organization(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Organization name.")],
    cell: Annotated[str, typer.Option(help="Cell (database schema) that stores the organization.")] = "cell_00",
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Create an organization and its sandbox twin, each with a wallet and an API key."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415 - see the room's front page
    from agentmessage.settings import read_settings  # noqa: PLC0415

    made = on_database(
        context, lambda cells: admin_organizations.create_organization(cells, read_settings(), name=name, cell=cell)
    )
    if as_json:
        print_json(made)
        return
    typer.echo(f"Created organization {made.org_id} and its sandbox {made.sandbox_org_id}.")
    typer.echo(f"  live key     {made.api_key}")
    typer.echo(f"  sandbox key  {made.sandbox_api_key}")
    typer.echo("The keys are shown only once: the database stores only their hashes.")


@organizations.command("list")
def list_organizations(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """List every organization with its balance."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    columns = ("id", "name", "mode", "cell", "balance_cents", "twin_id", "created_at")
    show(
        on_database(context, admin_organizations.list_organizations),
        columns=columns,
        title="Organizations",
        as_json=as_json,
    )


@organizations.command("set-throughput")
def set_throughput(  # noqa: PLR0917 - typer makes one option of each
    context: typer.Context,
    org: Org,
    per_second: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Messages per second; also the burst.")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=6_000_000, help="Messages per minute; also the burst.")
    ] = None,
    by_tier: Annotated[bool, typer.Option("--by-tier", help="Reset to the throughput of the tier.")] = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Set how many messages an organization may submit. Carrier limits apply in addition."""
    from agentmessage.admin import messages as admin_messages  # noqa: PLC0415

    has_both = per_second is not None and per_minute is not None
    if by_tier == has_both or (by_tier and (per_second is not None or per_minute is not None)):
        raise Failure("Give --per-second and --per-minute, or --by-tier")
    after = on_database(
        context,
        lambda cells: admin_messages.set_throughput(cells, org, per_second=per_second, per_minute=per_minute),
    )
    show_one(after, columns=("org_id", "per_second", "per_minute"), title="Throughput", as_json=as_json)


class KindName(StrEnum):
    """The kinds of organizations."""

    COMMERCIAL = "commercial"
    PERSONAL = "personal"


class PlanName(StrEnum):
    """The plans of organizations."""

    PAYG = "payg"
    STARTER = "starter"
    GROWTH = "growth"
    SCALE = "scale"
    CUSTOM = "custom"


@organizations.command("set-plan")
def set_plan(
    context: typer.Context,
    plan: Annotated[
        PlanName,
        typer.Argument(
            help="Plan; sets the finest metrics granularity: payg and starter day, growth hour, others minute."
        ),
    ],
    org: Org,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Set the plan of an organization."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    after = on_database(context, lambda cells: admin_organizations.set_plan(cells, org, plan=plan.value))
    show_one(after, columns=("org_id", "plan"), title="Plan", as_json=as_json)


@organizations.command("set-kind")
def set_kind(
    context: typer.Context,
    kind: Annotated[KindName, typer.Argument(help="Kind; only a commercial organization can become a reseller.")],
    org: Org,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Set the kind of an organization."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    after = on_database(context, lambda cells: admin_organizations.set_kind(cells, org, kind=kind.value))
    show_one(after, columns=("org_id", "kind"), title="Kind", as_json=as_json)


@api_keys.command("create")
def create_key(
    context: typer.Context,
    org: Org,
    scopes: Annotated[str, typer.Option(help="Scopes, separated by commas; default: every customer scope.")] = "",
    label: Annotated[str, typer.Option(help="Label of the key.")] = "operator",
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Create a key and print it. It is shown only once."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    made = on_database(context, lambda cells: admin_organizations.create_key(cells, org, label=label, scopes=wanted))
    if as_json:
        print_json(made)
        return
    typer.echo(f"{made.key}")
    typer.echo(f"Key {made.id} with {len(made.scopes)} scopes; it is shown only once.", err=True)


@api_keys.command("list")
def list_keys(context: typer.Context, org: Org, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """List an organization's keys, including revoked ones."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    found = on_database(context, lambda cells: admin_organizations.list_keys(cells, org))
    show(found, columns=KEY_COLUMNS, title="API keys", as_json=as_json)


@api_keys.command("revoke")
def revoke_key(
    context: typer.Context,
    key_id: Annotated[UUID, typer.Argument(help="Key id, from `list`.")],
    org: Org,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Revoke a key. Every process rejects it within a second."""
    from agentmessage.admin import organizations as admin_organizations  # noqa: PLC0415

    ended = on_database(context, lambda cells: admin_organizations.revoke_key(cells, org, key_id))
    show_one(ended, columns=KEY_COLUMNS, title="Revoked", as_json=as_json)
