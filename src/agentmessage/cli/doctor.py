"""`agentmessage doctor`: why can this number not send."""

from typing import Annotated

import typer

from agentmessage.cli.command import Json, Profile, connect, credentials_of
from agentmessage.cli.errors import without_trace


@without_trace()
def doctor(
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="One of your numbers: +14155550123, or its id.")],
    to: Annotated[str | None, typer.Option(help="Whom it shall text: looks at consent and hours, too.")] = None,
    text: Annotated[str | None, typer.Option(help="What it shall say; counts for its price and its links.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Say why a number cannot send, and what to do: walks from the key to the credit. Ends with 1 if it cannot."""
    from agentmessage.cli.doctor_checks import diagnose  # noqa: PLC0415 - see the room's front page

    credentials, _ = credentials_of(profile)
    with connect(profile) as client:
        diagnosis = diagnose(client, number, key=credentials.api_key, to=to, text=text)
    diagnosis.print(as_json=as_json)
    raise typer.Exit(diagnosis.status)
