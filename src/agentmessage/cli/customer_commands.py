"""The customer commands. They call the API through the client library."""

from typing import Annotated

import typer

from agentmessage.cli.audit import audit
from agentmessage.cli.brands import brands
from agentmessage.cli.campaigns import campaigns
from agentmessage.cli.command import Json, Profile, connect, credentials_of
from agentmessage.cli.consent import consent
from agentmessage.cli.contacts import contacts
from agentmessage.cli.conversations import conversations
from agentmessage.cli.errors import without_trace
from agentmessage.cli.events import events
from agentmessage.cli.guardrails import guardrails
from agentmessage.cli.inbound import inbound
from agentmessage.cli.keys import keys
from agentmessage.cli.login import log_in, log_out, who_am_i
from agentmessage.cli.lookups import lookups
from agentmessage.cli.messages import messages
from agentmessage.cli.metrics import metrics
from agentmessage.cli.numbers import numbers
from agentmessage.cli.organization import organization
from agentmessage.cli.wallet import wallet
from agentmessage.cli.webhooks import webhooks

GROUPS = {
    "numbers": numbers,
    "brands": brands,
    "campaigns": campaigns,
    "messages": messages,
    "inbound": inbound,
    "conversations": conversations,
    "consent": consent,
    "contacts": contacts,
    "guardrails": guardrails,
    "lookups": lookups,
    "webhooks": webhooks,
    "events": events,
    "wallet": wallet,
    "metrics": metrics,
    "keys": keys,
    "organization": organization,
    "audit": audit,
}


def add_user_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command("login")(log_in)
    app.command("logout")(log_out)
    app.command("whoami")(who_am_i)
    for name, group in GROUPS.items():
        app.add_typer(group, name=name)
    app.command("doctor")(doctor)


@without_trace()
def doctor(
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="One of your numbers (+14155550123) or its id.")],
    to: Annotated[str | None, typer.Option(help="Recipient; also checks consent and quiet hours.")] = None,
    text: Annotated[str | None, typer.Option(help="Message text; checks its price and links.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Diagnose why a number cannot send, and show fixes. Exits with 1 if it cannot send."""
    from agentmessage.cli.doctor_checks import diagnose  # noqa: PLC0415 - see the room's front page

    credentials, _ = credentials_of(profile)
    with connect(profile) as client:
        diagnosis = diagnose(client, number, key=credentials.api_key, to=to, text=text)
    diagnosis.print(as_json=as_json)
    raise typer.Exit(diagnosis.status)
