"""`agentmessage consent`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.asking import Limit, asks, chosen, newest, number_of, page_size
from agentmessage.cli.confirming import Yes, require_yes
from agentmessage.cli.moments import past
from agentmessage.cli.shown import Card, Shown, Table

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

consent = typer.Typer(no_args_is_help=True, help="Who has agreed to your texts.")

FILLED_BY = "`agentmessage consent record` records one."
COLUMNS = ("contact_number", "opted_in", "consent_method", "suppressed_by", "updated_at", "phone_number_id", "id")
FIELDS = (*COLUMNS, "source", "opted_in_at", "opted_out_at", "created_at")
HISTORY = ("occurred_at", "event", "source", "keyword", "evidence_consent_method", "evidence_agreement_text")

ConsentId = Annotated[str, typer.Argument(metavar="ID", help="Of the consent.")]


@asks(consent, "list")
def list_consent(
    client: "AgentMessage",
    *,
    to: Annotated[str | None, typer.Option("--to", help="The contact.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="One of your numbers, or its id.")] = None,
    opted_in: Annotated[bool | None, typer.Option("--opted-in/--opted-out", help="Only these.")] = None,
    since: Annotated[datetime | None, typer.Option(parser=past, help="Changed later than this.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List consents, most recently changed first."""
    number_id = number_of(client, from_).id if from_ else None
    asked = chosen(contact_number=to, phone_number_id=number_id, opted_in=opted_in, since=since)
    page = client.consent.list(limit=page_size(limit), **asked)
    return Table(rows=newest(page, limit), columns=COLUMNS, title="Consents", filled_by=FILLED_BY)


@asks(consent, "record")
def record(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option("--from", help="Your number that will text, or its id.")],
    to: Annotated[str, typer.Option("--to", help="The contact who agreed.")],
    agreement: Annotated[str, typer.Option(help="What they agreed to, word for word.")],
    method: Annotated[str, typer.Option(help="checkbox, sms_keyword, written, verbal or attested.")] = "attested",
    at: Annotated[
        datetime | None, typer.Option(parser=past, help="When they agreed: a time or a while ago; now if left out.")
    ] = None,
    form_url: Annotated[str | None, typer.Option(help="The form they used.")] = None,
    ip_address: Annotated[str | None, typer.Option(help="Where they were.")] = None,
    user_agent: Annotated[str | None, typer.Option(help="Their browser.")] = None,
) -> Shown:
    """Record that a contact agreed to texts from one of your numbers. You attest it; keep your own evidence."""
    evidence: Any = {
        "captured_at": at or datetime.now(UTC),
        "agreement_text": agreement,
        "consent_method": method,
        **chosen(form_url=form_url, ip_address=ip_address, user_agent=user_agent),
    }
    held = number_of(client, from_)
    taken = client.consent.record(phone_number_id=held.id, contact_number=to, evidence=evidence)
    return Card(thing=taken, fields=("id", "already_opted_in", "agreement_text_hash"), title="On record")


@asks(consent, "revoke")
def revoke(client: "AgentMessage", *, consent_id: ConsentId, yes: Yes = False) -> Shown:
    """Take a consent back; texts that wait are canceled. Asks before, unless --yes."""
    found = client.consent.get(consent_id)
    require_yes(f"Stop texting {found.contact_number}? Only new evidence allows it again.", is_given=yes)
    return Card(thing=client.consent.revoke(consent_id), fields=FIELDS, title="Revoked")


@asks(consent, "history")
def history(client: "AgentMessage", *, consent_id: ConsentId, limit: Limit = 50) -> Shown:
    """Show what happened to a consent, newest first, with its evidence."""
    page = client.consent.list_history(consent_id, limit=page_size(limit))
    return Table(rows=newest(page, limit), columns=HISTORY, title="History")
