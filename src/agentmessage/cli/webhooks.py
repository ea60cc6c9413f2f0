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

webhooks = typer.Typer(no_args_is_help=True, help="Webhook endpoints and deliveries.")

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
UNDELIVERED = "Create one with `agentmessage webhooks test`."
KEEP = "The secret is shown only once. Store it for the server that receives the webhooks."

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="Endpoint id.")]
Url = Annotated[str | None, typer.Option(help="Endpoint URL.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--event", help="Event type to deliver, such as message.delivered; repeatable.")
]
Description = Annotated[str | None, typer.Option(help="Description.")]


@asks(webhooks, "list")
def list_endpoints(client: "AgentMessage", *, limit: Limit = 50) -> Shown:
    """List your endpoints, newest first."""
    return Table(
        rows=newest(client.webhooks.list(limit=page_size(limit)), limit),
        columns=COLUMNS,
        title="Webhook endpoints",
        filled_by="Create one with `agentmessage webhooks create`.",
    )


@asks(webhooks, "get")
def get_endpoint(client: "AgentMessage", *, endpoint: EndpointId) -> Shown:
    """Show one endpoint, without its secret."""
    return Card(thing=client.webhooks.get(endpoint), fields=FIELDS, title="Endpoint")


@asks(webhooks, "create")
def create_endpoint(
    client: "AgentMessage",
    *,
    url: Annotated[str, typer.Option(help="Endpoint URL.")],
    event: Annotated[
        list[str], typer.Option("--event", help="Event type to deliver, such as message.delivered; repeatable.")
    ],
    description: Description = None,
) -> Shown:
    """Create an endpoint. Its secret is shown only once."""
    made = client.webhooks.create(url=url, **chosen(events=event, description=description))
    typer.echo(KEEP, err=True)
    return Card(thing=made, fields=SECRET_FIELDS, title="Created")


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
    """Update an endpoint; --event replaces all event types."""
    asked = chosen(url=url, events=event or None, description=description, active=active)
    return Card(thing=client.webhooks.update(endpoint, **asked), fields=FIELDS, title="Updated")


@asks(webhooks, "delete")
def delete_endpoint(client: "AgentMessage", *, endpoint: EndpointId, yes: Yes = False) -> Shown:
    """Delete an endpoint. Asks for confirmation unless --yes."""
    require_yes(f"Delete the endpoint {client.webhooks.get(endpoint).url}?", is_given=yes)
    client.webhooks.delete(endpoint)
    return Sentence(words=f"Endpoint {endpoint} is deleted.", value={"id": endpoint, "deleted": True})


@asks(webhooks, "rotate")
def rotate(client: "AgentMessage", *, endpoint: EndpointId, yes: Yes = False) -> Shown:
    """Rotate an endpoint's secret; the old one is invalid immediately. Asks for confirmation unless --yes."""
    require_yes("Rotate the secret? The old one is invalid immediately.", is_given=yes)
    rotated = client.webhooks.rotate_secret(endpoint)
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=SECRET_FIELDS, title="New secret")


@asks(webhooks, "rotate-organization")
def rotate_organization(client: "AgentMessage", *, yes: Yes = False) -> Shown:
    """Rotate the secret of the organization's number URLs; the old one stays valid for a few minutes."""
    require_yes("Rotate the organization's secret?", is_given=yes)
    rotated = client.webhooks.rotate_organization_secret()
    typer.echo(KEEP, err=True)
    return Card(thing=rotated, fields=ROTATED, title="New secret")


@asks(webhooks, "test")
def test_endpoint(client: "AgentMessage", *, endpoint: EndpointId) -> Shown:
    """Send a test event to an endpoint and show the response. Exits with 1 if it fails."""
    came = client.webhooks.test(endpoint)
    return Card(thing=came, fields=TESTED, title="Test", status=0 if came.outcome == "success" else FAILED)


@asks(webhooks, "deliveries")
def deliveries(
    client: "AgentMessage",
    *,
    endpoint: Annotated[str | None, typer.Option(help="Filter by endpoint id.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Filter by type: message.delivered, message.*; repeatable.")
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="Filter by outcome: success, retry or dead.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=past, help="Only after this time, or duration ago such as 7d.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(parser=past, help="Only before this time, or duration ago.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List delivery attempts, newest first."""
    # The platform narrows to one type; what it cannot narrow is narrowed here.
    single = kind[0] if kind and len(kind) == 1 and not is_pattern(kind[0]) else None
    asked = chosen(endpoint_id=endpoint, event_type=single, outcome=outcome, since=since, until=until)
    page = client.webhooks.deliveries.list(limit=page_size(limit, most=200), **asked)
    fitting = (row for row in page.all() if kind is None or matches(row.event_type or "", kind))
    return Table(rows=list(islice(fitting, limit)), columns=DELIVERIES, title="Deliveries", filled_by=UNDELIVERED)


@asks(webhooks, "delivery")
def delivery_of(
    client: "AgentMessage", *, delivery: Annotated[str, typer.Argument(metavar="ID", help="Delivery id.")]
) -> Shown:
    """Show one attempt and the endpoint's response."""
    return Card(thing=client.webhooks.deliveries.get(delivery), fields=DELIVERY, title="Delivery")


@asks(webhooks, "replay")
def replay(
    client: "AgentMessage",
    *,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="Delivery id.")],
    reason: Annotated[str | None, typer.Option(help="Reason, for the audit log.")] = None,
) -> Shown:
    """Replay a delivery."""
    again = client.webhooks.deliveries.replay(delivery, **chosen(reason=reason))
    return Card(thing=again, fields=REPLAYED, title="Replayed")


@webhooks.command("listen")
@without_trace()
def listen(
    *,
    forward_to: Annotated[str, typer.Option(help="URL to POST events to, such as http://localhost:3000/hook.")],
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Filter by type: message.delivered, message.*; repeatable.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Signing secret; default: a new one.", envvar="AGENTMESSAGE_LISTEN_SECRET")
    ] = None,
    after: Annotated[str | None, typer.Option(help="Start after the event with this id.")] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Forward live events to a URL on your machine, signed as webhooks are, until Ctrl-C. No endpoint is needed.

    It resumes after a lost connection without losing events. Failed requests are shown and not repeated.
    """
    from agentmessage.cli.webhook_forwarder import Receiver, forward, new_secret  # noqa: PLC0415 - see the room's front page

    used = secret or new_secret()
    with connect(profile) as client, Receiver(forward_to, secret=used) as receiver:
        stream = client.events.stream(last_event_id=after, from_now=after is None)
        typer.echo(f"Forwarding to {forward_to}. Signing secret: {used}", err=True)
        try:
            with stream:
                forward(stream, receiver, kinds=kind or ("*",), as_json=as_json)
        finally:
            if stream.last_event_id is not None:
                typer.echo(f"To resume after the last event: --after {stream.last_event_id}", err=True)
