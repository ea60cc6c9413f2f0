"""`agentmessage admin`: commands of the operator, on the database."""

from pathlib import Path
from typing import Annotated

import typer

from agentmessage.cli.admin import accounts, audit, messages, numbers, wallet

admin = typer.Typer(no_args_is_help=True, help="Operate the platform: organizations, carriers, wallets, queues.")
for name, group in {
    **accounts.GROUPS,
    **wallet.GROUPS,
    **numbers.GROUPS,
    **messages.GROUPS,
    **audit.GROUPS,
}.items():
    admin.add_typer(group, name=name)


@admin.callback()
def locate(
    context: typer.Context,
    data_dir: Annotated[
        Path, typer.Option(help="Data directory of `agentmessage up`; used if DATABASE_URL is not set.")
    ] = Path("var"),
) -> None:
    """Operate the platform at DATABASE_URL, or else the `agentmessage up` of --data-dir."""
    context.obj = data_dir
