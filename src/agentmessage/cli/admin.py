"""`agentmessage admin`: what the person who hosts the platform does to it."""

import typer

admin = typer.Typer(no_args_is_help=True, help="Work on the platform as the person who hosts it.")


@admin.callback()
def about() -> None:
    """Work on the platform as the person who hosts it."""
