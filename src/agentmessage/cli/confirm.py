"""Asking before what cannot be undone."""

import sys
from typing import Annotated

import typer

from agentmessage.cli.errors import FAILED, MISUSED, Failure
from agentmessage.cli.tables import showable

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def require_yes(question: str, *, is_given: bool) -> None:
    """Ask, unless the answer was given beforehand. Raises Failure for a no, and where nobody is there to ask."""
    if is_given:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} Nobody is here to ask: say --yes", status=MISUSED)
    if not typer.confirm(showable(question), err=True):
        raise Failure("Nothing was done", status=FAILED)
