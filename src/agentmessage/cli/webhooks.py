"""`agentmessage webhooks`."""

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from agentmessage.cli.command import Json, Limit, Profile, Yes, asks, chosen, connect, newest, page_size, require_yes
from agentmessage.cli.errors import FAILED, without_trace
from agentmessage.cli.event_types import is_pattern, matches
from agentmessage.cli.output import Card, Sentence, Shown, Table
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

webhooks = typer.Typer(no_args_is_help=True, help="Being told what happens.")

COLUMNS = ("url", "active", "events", "description", "id")
FIELDS = ("id", "url", "active", "events", "description", "api_version", "created_at", "updated_at")
SECRET_FIELDS = (*FIELDS, "secret")
DELIVERIES = ("occurred_at", "event_type", "outcome", "attempt", "response_status", "response_time_ms", "url", "id")
TESTED = ("outcome", "url", "response_status", "response_time_ms", "response_body_excerpt", "error", "event_id")
ROTATED = ("webhook_secret", "rotated_at", "previous_valid_until")
DELIVERY = (
    "id",
    "event_type",
    "event_id",
    "outcome",
    "attempt",
    "url",
    "response_status",
    "response_time_ms",
    "response_body_excerpt",
    "error",
    "request_body_bytes",
    "request_body_sha256",
    "request_headers",
    "endpoint_id",
    "occurred_at",
)
REPLAYED = ("new_event_id", "event_type", "delivery_id", "endpoint_id", "enqueued_at")
UNDELIVERED = "`agentmessage webhooks test` makes one."
KEEP = "The secret is shown this once: keep it where your receiver finds it."

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="Of the endpoint.")]
Url = Annotated[str | None, typer.Option(help="Where to tell it.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--event", help="A type to deliver, such as message.delivered; repeatable.")
]
Description = Annotated[str | None, typer.Option(help="What it is for.")]


@asks(webhooks, "list")
def list_endpoints(client: "AgentMessage", *, limit: Limit = 50) -> Shown:
    """List your endpoints, newest first."""
    return Table(
        rows=newest(client.webhooks.list(limit=page_size(limit)), limit),
        columns=COLUMNS,
        title="Webhook endpoints",
        filled_by="`agentmessage webhooks create` makes one.",
    )


@asks(webhooks, "get")
def get_endpoint(client: "AgentMessage", *, endpoint: EndpointId) -> Shown:
    """Show one endpoint, without its secret."""
    return Card(thing=client.webhooks.get(endpoint), fields=FIELDS, title="Endpoint")


@asks(webhooks, "create")
def create_endpoint(
    client: "AgentMessage",
    *,
    url: Annotated[str, typer.Option(help="Where to tell it.")],
    event: Annotated[
        list[str], typer.Option("--event", help="A type to deliver, such as message.delivered; repeatable.")
    ],
    description: Description = None,
) -> Shown:
    """Make an endpoint. Its secret is shown this once."""
    made = client.webhooks.create(url=url, **chosen(events=event, description=description))
    typer.echo(KEEP, err=True)
    return Card(thing=made, fields=SECRET_FIELDS, title="Made")


@asks(webhooks, "update")
def update_endpoint(
    client: "AgentMessage",
    *,
    endpoint: EndpointId,
    url: Url = None,
    event: Kinds = None,
    description: Description = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Turn it on or off.")] = None,
) -> Shown:
    """Change an endpoint; --event replaces the whole set."""
    asked = chosen(url=url, events=event or None, description=description, active=active)
    return Card(thing=client.webhooks.update(endpoint, **asked), fields=FIELDS, title="Changed")


@asks(webhooks, "delete")
def delete_endpoint(client: "AgentMessage", *, endpoint: EndpointId, yes: Yes = False) -> Shown:
    """End an endpoint for good. Asks before, unless --yes."""
    require_yes(f"End {client.webhooks.get(endpoint).url} for good?", is_given=yes)
    client.webhooks.delete(endpoint)
    return Sentence(words=f"Endpoint {endpoint} is deleted.", value={"id": endpoint, "deleted": True})


@asks(webhooks, "rotate")
def rotate(client: "AgentMessage", *, endpoint: EndpointId, yes: Yes = False) -> Shown:
    """Replace an endpoint's secret; the old one is dead at once. Asks before, unless --yes."""
    require_yes("Replace the secret? The old one is dead at once.", is_given=yes)
    rotated = client.webhooks.rotate_secret(endpoint)
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=SECRET_FIELDS, title="New secret")


@asks(webhooks, "rotate-organization")
def rotate_organization(client: "AgentMessage", *, yes: Yes = False) -> Shown:
    """Replace the secret that the organization's number URLs verify with; the old one stays valid for a few minutes."""
    require_yes("Replace the organization's secret?", is_given=yes)
    rotated = client.webhooks.rotate_organization_secret()
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=ROTATED, title="New secret")


@asks(webhooks, "test")
def test_endpoint(client: "AgentMessage", *, endpoint: EndpointId) -> Shown:
    """Tell an endpoint something now and show its answer. Ends with 1 when it fails."""
    came = client.webhooks.test(endpoint)
    return Card(thing=came, fields=TESTED, title="Test", status=0 if came.outcome == "success" else FAILED)


@asks(webhooks, "deliveries")
def deliveries(
    client: "AgentMessage",
    *,
    endpoint: Annotated[str | None, typer.Option(help="Only those to the endpoint with this id.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only these: message.delivered, message.*; repeatable.")
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="success, retry or dead.")] = None,
    since: Annotated[datetime | None, typer.Option(parser=past, help="Later than a time, or a while ago.")] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Earlier than that.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List the attempts to tell your receivers, newest first."""
    # The platform narrows to one type; what it cannot narrow is narrowed here.
    single = kind[0] if kind and len(kind) == 1 and not is_pattern(kind[0]) else None
    asked = chosen(endpoint_id=endpoint, event_type=single, outcome=outcome, since=since, until=until)
    page = client.webhooks.deliveries.list(limit=page_size(limit, most=200), **asked)
    fitting = (row for row in page.all() if kind is None or matches(row.event_type or "", kind))
    return Table(rows=list(islice(fitting, limit)), columns=DELIVERIES, title="Deliveries", filled_by=UNDELIVERED)


@asks(webhooks, "delivery")
def delivery_of(
    client: "AgentMessage", *, delivery: Annotated[str, typer.Argument(metavar="ID", help="Of the delivery.")]
) -> Shown:
    """Show one attempt, with what the receiver answered."""
    return Card(thing=client.webhooks.deliveries.get(delivery), fields=DELIVERY, title="Delivery")


@asks(webhooks, "replay")
def replay(
    client: "AgentMessage",
    *,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="Of the delivery.")],
    reason: Annotated[str | None, typer.Option(help="Why, for the audit log.")] = None,
) -> Shown:
    """Tell a receiver something again."""
    again = client.webhooks.deliveries.replay(delivery, **chosen(reason=reason))
    return Card(thing=again, fields=REPLAYED, title="On its way")


@webhooks.command("listen")
@without_trace()
def listen(
    *,
    forward_to: Annotated[str, typer.Option(help="Where to POST events, such as http://localhost:3000/hook.")],
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only these: message.delivered, message.*; repeatable.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Sign with this instead of a new one.", envvar="AGENTMESSAGE_LISTEN_SECRET")
    ] = None,
    after: Annotated[str | None, typer.Option(help="Begin behind the event with this id.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Forward live events to a URL on your machine, signed as webhooks are, until Ctrl-C. No endpoint is needed.

    A broken connection to the platform loses nothing. What your receiver fails to take is shown, and not sent again.
    """
    from agentmessage.cli.webhook_forwarder import Receiver, forward, new_secret  # noqa: PLC0415 - see the room's front page

    used = secret or new_secret()
    with connect(profile) as client, Receiver(forward_to, secret=used) as receiver:
        stream = client.events.stream(last_event_id=after, from_now=after is None)
        typer.echo(f"Forwarding to {forward_to}. Your receiver verifies with this secret: {used}", err=True)
        try:
            with stream:
                forward(stream, receiver, kinds=kind or ("*",), as_json=as_json)
        finally:
            if stream.last_event_id is not None:
                typer.echo(f"To go on behind the last event: --after {stream.last_event_id}", err=True)
