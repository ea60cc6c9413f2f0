"""`agentmessage events`."""

import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.command import Json, Limit, Profile, asks, chosen, connect, page_size
from agentmessage.cli.errors import without_trace
from agentmessage.cli.event_types import is_pattern, matches
from agentmessage.cli.output import Shown, Table
from agentmessage.cli.tables import in_words, print_json_line, say
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Event

events = typer.Typer(no_args_is_help=True, help="Events: list and follow them.")

FILLED_BY = "Follow new ones with `agentmessage events tail`."
COLUMNS = ("created_at", "type", "id")
EVERY = ("*",)

Kinds = Annotated[
    list[str] | None, typer.Option("--type", help="Filter by type: message.delivered, message.*; repeatable.")
]
Since = Annotated[datetime | None, typer.Option(parser=past, help="Start time, or duration ago such as 2h.")]


@asks(events, "list")
def list_events(client: "AgentMessage", *, kind: Kinds = None, since: Since = None, limit: Limit = 50) -> Shown:
    """List the newest events, in ascending order of time."""
    page = client.events.list(order="desc", limit=page_size(limit, most=200), **asked_of(kind), **chosen(since=since))
    fitting = (event for event in page.all() if matches(event.type, kind or EVERY))
    return Table(rows=list(islice(fitting, limit))[::-1], columns=COLUMNS, title="Events", filled_by=FILLED_BY)


@events.command("tail")
@without_trace()
def tail(
    *,
    kind: Kinds = None,
    since: Since = None,
    after: Annotated[str | None, typer.Option(help="Start after the event with this id.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Follow events until Ctrl-C; default: from now on. It resumes after a lost connection without losing events."""
    is_from_now = since is None and after is None
    with connect(profile) as client:
        stream = client.events.stream(
            last_event_id=after, from_now=is_from_now, **asked_of(kind), **chosen(since=since)
        )
        with stream:
            for event in stream:
                if not matches(event.type, kind or EVERY):
                    continue
                if as_json:
                    print_json_line(event)
                else:
                    say(f"{in_words(event.created_at)}  {event.type:<32}  {subject(event)}  {event.id}")
                    sys.stdout.flush()


def asked_of(kinds: Sequence[str] | None) -> dict[str, Any]:
    """The type that the API can filter by: one name, no patterns."""
    return {"type": kinds[0]} if kinds and len(kinds) == 1 and not is_pattern(kinds[0]) else {}


def subject(event: "Event") -> str:
    """The subject of an event: a number, a pair of numbers, a name or an id."""
    data = event.data
    if "from" in data and "to" in data:
        return f"{data['from']} → {data['to']}"
    names = ("number", "contact_number", "display_name", "usecase", "id")
    return str(next((data[name] for name in names if data.get(name)), "-"))
