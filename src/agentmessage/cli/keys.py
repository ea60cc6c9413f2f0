"""`agentmessage keys`."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Limit, Yes, asks, newest, page_size, require_yes
from agentmessage.cli.output import Card, Sentence, Shown, Table

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

keys = typer.Typer(no_args_is_help=True, help="API keys of your organization.")

COLUMNS = ("prefix", "last_used_at", "revoked_at", "id", "label", "scopes")
FIELDS = ("id", "label", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
SECRET_FIELDS = ("id", "label", "scopes", "plaintext")
KEEP = "The key is shown this once: keep it where your program finds it."
FILLED_BY = "`agentmessage keys create` makes one."

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Of the key.")]


@asks(keys, "list")
def list_keys(
    client: "AgentMessage",
    *,
    revoked: Annotated[bool, typer.Option("--revoked/--no-revoked", help="Revoked ones, too.")] = True,
    limit: Limit = 50,
) -> Shown:
    """List your keys, newest first. No list shows a key itself."""
    page = client.api_keys.list(include_revoked=revoked, limit=page_size(limit))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="API keys", filled_by=FILLED_BY)


@asks(keys, "get")
def get_key(client: "AgentMessage", *, key: KeyId) -> Shown:
    """Show one key, without the key itself."""
    return Card(thing=client.api_keys.get(key), fields=FIELDS, title="API key")


@asks(keys, "create")
def create_key(
    client: "AgentMessage",
    *,
    label: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, such as messages:send; repeatable.")],
) -> Shown:
    """Make a key with scopes that your own has. It is shown this once."""
    made = client.api_keys.create(label=label, scopes=scope)
    typer.echo(KEEP, err=True)
    return Card(thing=made, fields=SECRET_FIELDS, title="Made")


@asks(keys, "rotate")
def rotate_key(client: "AgentMessage", *, key: KeyId, yes: Yes = False) -> Shown:
    """Replace a key by a new one with the same label and scopes. Asks before, unless --yes."""
    require_yes(f"Replace {client.api_keys.get(key).prefix}…? It stops working at once.", is_given=yes)
    rotated = client.api_keys.rotate(key)
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=SECRET_FIELDS, title="New key")


@asks(keys, "revoke")
def revoke_key(client: "AgentMessage", *, key: KeyId, yes: Yes = False) -> Shown:
    """End a key for good. Asks before, unless --yes."""
    require_yes(f"Revoke {client.api_keys.get(key).prefix}…? It stops working at once.", is_given=yes)
    client.api_keys.revoke(key)
    return Sentence(words=f"Key {key} is revoked.", value={"id": key, "revoked": True})
