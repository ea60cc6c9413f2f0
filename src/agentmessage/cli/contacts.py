"""`agentmessage contacts`."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Yes, asks, require_yes
from agentmessage.cli.output import Card, Shown

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

contacts = typer.Typer(no_args_is_help=True, help="Stored data of a contact.")

ERASED = ("contact_number", "outbound_redacted", "inbound_redacted", "erased_at", "audit_log_id")


@asks(contacts, "erase")
def erase(
    client: "AgentMessage",
    *,
    contact: Annotated[str, typer.Argument(metavar="NUMBER", help="Contact number.")],
    yes: Yes = False,
) -> Shown:
    """Erase a contact's message content; consent and charges are kept. Asks for confirmation unless --yes."""
    require_yes(f"Erase the message content of {contact}? This cannot be undone.", is_given=yes)
    return Card(thing=client.contacts.erase(contact), fields=ERASED, title="Erased")
