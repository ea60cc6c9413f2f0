"""From a command to the platform and back: options that all of them share, a client, the work, its result."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, Signature
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import typer

from agentmessage.cli import profiles
from agentmessage.cli.errors import FAILED, MISUSED, UNAUTHORIZED, Failure, without_trace
from agentmessage.cli.output import Shown
from agentmessage.cli.profiles import PROFILE_VARIABLE, USUAL, Credentials
from agentmessage.cli.tables import showable

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import PhoneNumber

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Work = Callable[..., Shown]

KEY_VARIABLE = "AGENTMESSAGE_API_KEY"
URL_VARIABLE = "AGENTMESSAGE_BASE_URL"
USUAL_URL = "http://127.0.0.1:8080"

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help=f"Login profile; default: {PROFILE_VARIABLE}, else {USUAL}.", metavar="NAME"),
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows, newest first.")]
NumberWord = Annotated[str, typer.Argument(metavar="NUMBER", help="One of your numbers (+14155550123) or its id.")]
SHARED = (
    Parameter("profile", Parameter.KEYWORD_ONLY, default=None, annotation=Profile),
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=Json),
)


class Pages(Protocol[T_co]):
    """A list of the client library."""

    def all(self) -> Iterator[T_co]:
        """Every row, page after page."""
        ...


def asks(group: typer.Typer, name: str, *, shared: tuple[Parameter, ...] = SHARED) -> Callable[[Work], Work]:
    """Make a command of a function that takes a client first and returns the output.

    The command has the function's other parameters as options, `--profile` and `--json`.
    """

    def make(work: Work) -> Work:
        own = list(inspect.signature(work).parameters.values())[1:]

        @without_trace()
        def run(*, profile: str | None, as_json: bool, **chosen: Any) -> None:
            with connect(profile) as client:
                shown = work(client, **chosen)
            shown.print(as_json=as_json)
            sys.stdout.flush()
            if shown.status:
                raise typer.Exit(shown.status)

        parameters = [*(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own), *shared]
        run.__doc__ = work.__doc__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__dict__["__signature__"] = Signature(parameters)
        group.command(name)(run)
        return work

    return make


def connect(profile: str | None) -> "AgentMessage":
    """A client for what the environment or a login says. Raises Failure when neither says anything."""
    from agentmessage.sdk import AgentMessage  # noqa: PLC0415 - see the room's front page

    credentials, _ = credentials_of(profile)
    return AgentMessage(api_key=credentials.api_key, base_url=credentials.base_url)


def credentials_of(profile: str | None) -> tuple[Credentials, str]:
    """Platform and key, and where they are from: the environment before a login. Raises Failure."""
    url, key = os.environ.get(URL_VARIABLE), os.environ.get(KEY_VARIABLE)
    if key:
        return Credentials(base_url=url or USUAL_URL, api_key=key), KEY_VARIABLE
    name = profile or os.environ.get(PROFILE_VARIABLE) or USUAL
    found = profiles.find(name)
    if found is None:
        words = "There is no API key" if name == USUAL else f"There is no profile {name}"
        fix = "" if name == USUAL else f" --profile {name}"
        raise Failure(f"{words}; run `agentmessage login{fix}`, or set {KEY_VARIABLE}", status=UNAUTHORIZED)
    return Credentials(base_url=url or found.base_url, api_key=found.api_key), f"profile {name}"


def is_exposed(base_url: str) -> bool:
    """Whether a key would go over a network unencrypted."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}


def chosen(**options: Any) -> Mapping[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def newest(pages: Pages[T], limit: int) -> list[T]:
    """The first rows of a list, from as many pages as it takes."""
    return list(islice(pages.all(), limit))


def page_size(limit: int, *, most: int = 100) -> int:
    """How many rows to ask for at once."""
    return min(limit, most)


def number_of(client: "AgentMessage", word: str) -> "PhoneNumber":
    """One of the organization's numbers, by itself or by its id. Raises Failure and APIError."""
    if not word.startswith("+"):
        return client.phone_numbers.get(word)
    for number in client.phone_numbers.list(search=word, limit=100).all():
        if number.number == word:
            return number
    raise Failure(f"{word} is not one of your numbers; `agentmessage numbers list` shows them")


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation prompt.")]


def require_yes(question: str, *, is_given: bool) -> None:
    """Ask for confirmation unless `is_given`. Raises Failure for a no, or without a terminal."""
    if is_given:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} There is no terminal to confirm on: pass --yes", status=MISUSED)
    if not typer.confirm(showable(question), err=True):
        raise Failure("Nothing was done", status=FAILED)
