"""`agentmessage admin`: what the person who hosts the platform does to it."""

from pathlib import Path
from typing import Annotated

import typer

from agentmessage.cli.admin import accounts, audit, held_messages, messages, numbers, wallet

admin = typer.Typer(no_args_is_help=True, help="Work on the platform as the person who hosts it.")
for name, group in {
    **accounts.GROUPS,
    **wallet.GROUPS,
    **numbers.GROUPS,
    **messages.GROUPS,
    **held_messages.GROUPS,
    **audit.GROUPS,
}.items():
    admin.add_typer(group, name=name)


@admin.callback()
def locate(
    context: typer.Context,
    data_dir: Annotated[
        Path, typer.Option(help="Of the `agentmessage up` that runs here, without DATABASE_URL.")
    ] = Path("var"),
) -> None:
    """Work on the platform as the person who hosts it: the one at DATABASE_URL, else the one that runs here."""
    context.obj = data_dir
