"""`agentmessage events`."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.asking import Json, Limit, Profile, asks, chosen, connect, newest, page_size
from agentmessage.cli.failures import without_trace
from agentmessage.cli.moments import past
from agentmessage.cli.shown import Shown, Table
from agentmessage.cli.tables import in_words, print_json_line, say

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Event

events = typer.Typer(no_args_is_help=True, help="What happens, as it happens.")

COLUMNS = ("created_at", "type", "id")

Kind = Annotated[str | None, typer.Option("--type", help="Only this type, such as message.delivered.")]
Since = Annotated[datetime | None, typer.Option(parser=past, help="Begin at a time, or a while ago such as 2h.")]


@asks(events, "list")
def list_events(client: "AgentMessage", *, kind: Kind = None, since: Since = None, limit: Limit = 50) -> Shown:
    """List what happened, oldest first."""
    page = client.events.list(limit=page_size(limit, most=200), **chosen(type=kind, since=since))
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Events")


@events.command("tail")
@without_trace()
def tail(
    *,
    kind: Kind = None,
    since: Since = None,
    after: Annotated[str | None, typer.Option(help="Begin behind the event with this id.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Follow what happens, from now on unless told otherwise, until Ctrl-C. A broken connection loses nothing."""
    is_from_now = since is None and after is None
    with connect(profile) as client:
        stream = client.events.stream(last_event_id=after, from_now=is_from_now, **chosen(type=kind, since=since))
        with stream:
            for event in stream:
                if as_json:
                    print_json_line(event)
                else:
                    say(f"{in_words(event.created_at)}  {event.type:<32}  {subject(event)}  {event.id}")
                    sys.stdout.flush()


def subject(event: "Event") -> str:
    """What an event is about, in a word: a number, a pair of numbers, a name or an id."""
    data = event.data
    if "from" in data and "to" in data:
        return f"{data['from']} → {data['to']}"
    names = ("number", "contact_number", "display_name", "usecase", "id")
    return str(next((data[name] for name in names if data.get(name)), "-"))
