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
KEEP = "The key is shown only once. Store it for your program."
FILLED_BY = "Create one with `agentmessage keys create`."

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Key id.")]


@asks(keys, "list")
def list_keys(
    client: "AgentMessage",
    *,
    revoked: Annotated[bool, typer.Option("--revoked/--no-revoked", help="Include revoked keys.")] = True,
    limit: Limit = 50,
) -> Shown:
    """List your keys, newest first, without their secrets."""
    page = client.api_keys.list(include_revoked=revoked, limit=page_size(limit))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="API keys", filled_by=FILLED_BY)


@asks(keys, "get")
def get_key(client: "AgentMessage", *, key: KeyId) -> Shown:
    """Show one key, without its secret."""
    return Card(thing=client.api_keys.get(key), fields=FIELDS, title="API key")


@asks(keys, "create")
def create_key(
    client: "AgentMessage",
    *,
    label: Annotated[str, typer.Option(help="Label of the key.")],
    scope: Annotated[list[str], typer.Option("--scope", help="Scope, such as messages:send; repeatable.")],
) -> Shown:
    """Create a key with scopes of your own key. It is shown only once."""
    made = client.api_keys.create(label=label, scopes=scope)
    typer.echo(KEEP, err=True)
    return Card(thing=made, fields=SECRET_FIELDS, title="Created")


@asks(keys, "rotate")
def rotate_key(client: "AgentMessage", *, key: KeyId, yes: Yes = False) -> Shown:
    """Rotate a key: a new key gets its label and scopes. Asks for confirmation unless --yes."""
    require_yes(f"Rotate {client.api_keys.get(key).prefix}…? It stops working immediately.", is_given=yes)
    rotated = client.api_keys.rotate(key)
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=SECRET_FIELDS, title="New key")


@asks(keys, "revoke")
def revoke_key(client: "AgentMessage", *, key: KeyId, yes: Yes = False) -> Shown:
    """Revoke a key. Asks for confirmation unless --yes."""
    require_yes(f"Revoke {client.api_keys.get(key).prefix}…? It stops working immediately.", is_given=yes)
    client.api_keys.revoke(key)
    return Sentence(words=f"Key {key} is revoked.", value={"id": key, "revoked": True})
