"""`agentmessage consent`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from agentmessage.cli.command import Limit, Yes, asks, chosen, newest, number_of, page_size, require_yes
from agentmessage.cli.errors import FAILED
from agentmessage.cli.output import Card, Shown, Table
from agentmessage.cli.request_body import rows_of
from agentmessage.cli.tables import print_json, say, show
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage

consent = typer.Typer(no_args_is_help=True, help="Consent of contacts to your messages.")

FILLED_BY = "Record one with `agentmessage consent record`."
COLUMNS = ("contact_number", "opted_in", "consent_method", "suppressed_by", "updated_at", "phone_number_id", "id")
FIELDS = (*COLUMNS, "source", "opted_in_at", "opted_out_at", "created_at")
HISTORY = ("occurred_at", "event", "source", "keyword", "evidence_consent_method", "evidence_agreement_text")

ASKED = ("already_opted_in", "reused", "expires_at", "confirmation_message_id", "consent_pending_id")
BATCH = 500
"""Records of one request: the platform takes 1,000, and a megabyte."""

ConsentId = Annotated[str, typer.Argument(metavar="ID", help="Consent id.")]


class Rejected(Struct, frozen=True, kw_only=True):
    """A rejected record and its position in the file, from 1."""

    row: int
    code: str
    message: str


class Imported(Struct, frozen=True, kw_only=True):
    """The result of recording a file."""

    accepted: int
    rejected: Sequence[Rejected]

    @property
    def status(self) -> int:
        """The exit status."""
        return FAILED if self.rejected else 0

    def print(self, *, as_json: bool) -> None:
        """Both as JSON, or the rejected records and a sentence."""
        if as_json:
            print_json(self)
            return
        if self.rejected:
            show(self.rejected, columns=("row", "code", "message"), title="Rejected", as_json=False)
        say(f"{self.accepted} recorded, {len(self.rejected)} rejected.")


@asks(consent, "list")
def list_consent(
    client: "AgentMessage",
    *,
    to: Annotated[str | None, typer.Option("--to", help="Contact number.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="One of your numbers or its id.")] = None,
    opted_in: Annotated[bool | None, typer.Option("--opted-in/--opted-out", help="Filter by opt-in state.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=past, help="Only changed after this time, or duration ago.")
    ] = None,
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
    from_: Annotated[str, typer.Option("--from", help="Your sending number or its id.")],
    to: Annotated[str, typer.Option("--to", help="Contact number.")],
    agreement: Annotated[str, typer.Option(help="Agreement text, verbatim.")],
    method: Annotated[
        str, typer.Option(help="Consent method: checkbox, sms_keyword, written, verbal or attested.")
    ] = "attested",
    at: Annotated[
        datetime | None, typer.Option(parser=past, help="Time of consent, or duration ago; default: now.")
    ] = None,
    form_url: Annotated[str | None, typer.Option(help="URL of the form.")] = None,
    ip_address: Annotated[str | None, typer.Option(help="IP address of the contact.")] = None,
    user_agent: Annotated[str | None, typer.Option(help="User agent of the contact's browser.")] = None,
) -> Shown:
    """Record a contact's consent to messages from one of your numbers. You attest it; keep your own evidence."""
    evidence: Any = {
        "captured_at": at or datetime.now(UTC),
        "agreement_text": agreement,
        "consent_method": method,
        **chosen(form_url=form_url, ip_address=ip_address, user_agent=user_agent),
    }
    held = number_of(client, from_)
    taken = client.consent.record(phone_number_id=held.id, contact_number=to, evidence=evidence)
    return Card(thing=taken, fields=("id", "already_opted_in", "agreement_text_hash"), title="Recorded")


@asks(consent, "import")
def import_consent(
    client: "AgentMessage",
    *,
    file: Annotated[Path, typer.Argument(help="JSON array, or one JSON object per line; - reads standard input.")],
) -> Shown:
    """Record many consents, in batches. Exits with 1 if any was rejected; the others are recorded.

    Each record has phone_number_id, contact_number and evidence, as POST /v1/consent/bulk takes them.
    """
    records: Any = rows_of(file)
    accepted = 0
    rejected: list[Rejected] = []
    for start in range(0, len(records), BATCH):
        taken = client.consent.record_bulk(records=records[start : start + BATCH])
        accepted += taken.accepted
        rejected += [Rejected(row=start + one.index + 1, code=one.code, message=one.message) for one in taken.rejected]
    return Imported(accepted=accepted, rejected=rejected)


@asks(consent, "ask")
def ask(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option("--from", help="Your sending number or its id.")],
    to: Annotated[str, typer.Option("--to", help="Contact number.")],
    question: Annotated[str, typer.Option(help="Message text, such as: Reply YES to agree to …")],
    agreement: Annotated[str, typer.Option(help="Agreement text that YES confirms, verbatim.")],
) -> Shown:
    """Ask a contact for consent by message (double opt-in by YES). Charged as a message."""
    held = number_of(client, from_)
    asked = client.consent.start_double_opt_in(
        phone_number_id=held.id, contact_number=to, confirmation_text=question, agreement_text=agreement
    )
    return Card(thing=asked, fields=ASKED, title="Consent request")


@asks(consent, "form")
def form(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option("--from", help="Your sending number or its id.")],
    to: Annotated[str, typer.Option("--to", help="Contact number.")],
    agreement: Annotated[str, typer.Option(help="Agreement text, verbatim.")],
) -> Shown:
    """Create a link to a hosted consent form. You send the link to the contact."""
    held = number_of(client, from_)
    made = client.consent.create_hosted_form(phone_number_id=held.id, contact_number=to, agreement_text=agreement)
    return Card(thing=made, fields=("url", "expires_at"), title="Form")


@asks(consent, "get")
def get_consent(client: "AgentMessage", *, consent_id: ConsentId) -> Shown:
    """Show one consent."""
    return Card(thing=client.consent.get(consent_id), fields=FIELDS, title="Consent")


@asks(consent, "revoke")
def revoke(client: "AgentMessage", *, consent_id: ConsentId, yes: Yes = False) -> Shown:
    """Revoke a consent. Queued messages are canceled. Asks for confirmation unless --yes."""
    found = client.consent.get(consent_id)
    require_yes(
        f"Revoke the consent of {found.contact_number}? Messages then need new evidence of consent.", is_given=yes
    )
    return Card(thing=client.consent.revoke(consent_id), fields=FIELDS, title="Revoked")


@asks(consent, "history")
def history(client: "AgentMessage", *, consent_id: ConsentId, limit: Limit = 50) -> Shown:
    """List the history of a consent, newest first, with its evidence."""
    page = client.consent.list_history(consent_id, limit=page_size(limit))
    return Table(rows=newest(page, limit), columns=HISTORY, title="History")
