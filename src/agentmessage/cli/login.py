"""`agentmessage login`, `logout` and `whoami`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from agentmessage.cli import profiles
from agentmessage.cli.command import USUAL_URL, Json, Profile, credentials_of, is_exposed
from agentmessage.cli.errors import UNAUTHORIZED, Failure, without_trace
from agentmessage.cli.output import Card, Sentence
from agentmessage.cli.profiles import USUAL, Credentials

if TYPE_CHECKING:
    from agentmessage.sdk.models import Organization

PREFIX_LENGTH = len("am_live_") + 4
"""The part of a key that lists of keys show."""


class Identity(Struct, frozen=True, kw_only=True):
    """The identity of a key. The organization is null if the key lacks the scope to read it."""

    base_url: str
    key_prefix: str
    key_from: str
    mode: str
    org_id: str | None
    organization: str | None


FIELDS = ("base_url", "key_prefix", "key_from", "mode", "organization", "org_id")


@without_trace()
def log_in(
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Base URL of the platform; prompted for if omitted.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Profile name.", metavar="NAME")] = USUAL,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Store an API key for later commands: prompts for it, checks it, and writes it to a private file.

    A key that is piped in is read from standard input.
    """
    url = base_url or _asked_url()
    key = _asked_key()
    if is_exposed(url):
        typer.echo(f"{url} is not encrypted: the network can read the key.", err=True)
    credentials = Credentials(base_url=url.rstrip("/"), api_key=key)
    identity = _identity(credentials, key_from=f"profile {profile}")
    path = profiles.store(profile, credentials)
    typer.echo(f"Stored in {path}.", err=True)
    Card(thing=identity, fields=FIELDS, title="Logged in").print(as_json=as_json)


@without_trace()
def log_out(
    profile: Annotated[str, typer.Option("--profile", help="Profile name.", metavar="NAME")] = USUAL,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete a stored key. The key stays valid; `agentmessage keys revoke` revokes it."""
    if not profiles.forget(profile):
        raise Failure(f"There is no profile {profile}")
    words = f"The key of profile {profile} is deleted here; it stays valid until it is revoked."
    Sentence(words=words, value={"forgotten": profile}).print(as_json=as_json)


@without_trace()
def who_am_i(profile: Profile = None, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show the key in use, its source, and its organization."""
    credentials, source = credentials_of(profile)
    Card(thing=_identity(credentials, key_from=source), fields=FIELDS, title="Logged in as").print(as_json=as_json)


def _identity(credentials: Credentials, *, key_from: str) -> Identity:
    organization = _organization(credentials)
    return Identity(
        base_url=credentials.base_url,
        key_prefix=credentials.api_key[:PREFIX_LENGTH],
        key_from=key_from,
        mode="sandbox" if credentials.api_key.startswith("am_test_") else "live",
        org_id=organization.id if organization else None,
        organization=organization.name if organization else None,
    )


def _organization(credentials: Credentials) -> "Organization | None":
    """The organization of the key; None if the key lacks the scope. Raises APIError for an invalid key."""
    from agentmessage.sdk import AgentMessage  # noqa: PLC0415 - see the room's front page
    from agentmessage.sdk.errors import ForbiddenError  # noqa: PLC0415

    with AgentMessage(api_key=credentials.api_key, base_url=credentials.base_url) as client:
        try:
            return client.organization.get()
        except ForbiddenError:
            return None


def _asked_url() -> str:
    if not sys.stdin.isatty():
        return USUAL_URL
    answer: str = typer.prompt("Where is the platform?", default=USUAL_URL, err=True)
    return answer


def _asked_key() -> str:
    if sys.stdin.isatty():
        key: str = typer.prompt("API key (am_live_… or am_test_…)", hide_input=True, err=True)
    else:
        key = sys.stdin.readline()
    if not key.strip():
        raise Failure("No API key on standard input", status=UNAUTHORIZED)
    return key.strip()
