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

consent = typer.Typer(no_args_is_help=True, help="Who has agreed to your texts.")

FILLED_BY = "`agentmessage consent record` records one."
COLUMNS = ("contact_number", "opted_in", "consent_method", "suppressed_by", "updated_at", "phone_number_id", "id")
FIELDS = (*COLUMNS, "source", "opted_in_at", "opted_out_at", "created_at")
HISTORY = ("occurred_at", "event", "source", "keyword", "evidence_consent_method", "evidence_agreement_text")

ASKED = ("already_opted_in", "reused", "expires_at", "confirmation_message_id", "consent_pending_id")
BATCH = 500
"""Records of one request: the platform takes 1,000, and a megabyte."""

ConsentId = Annotated[str, typer.Argument(metavar="ID", help="Of the consent.")]


class Rejected(Struct, frozen=True, kw_only=True):
    """A record that was not taken, by its place in the file, from 1."""

    row: int
    code: str
    message: str


class Imported(Struct, frozen=True, kw_only=True):
    """What became of a file of records."""

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
        say(f"{self.accepted} on record, {len(self.rejected)} rejected.")


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


@asks(consent, "import")
def import_consent(
    client: "AgentMessage",
    *,
    file: Annotated[Path, typer.Argument(help="JSON array, or one record a line; - is standard input.")],
) -> Shown:
    """Record many consents, in batches. Ends with 1 when any was rejected; the others are on record.

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
    from_: Annotated[str, typer.Option("--from", help="Your number that asks, or its id.")],
    to: Annotated[str, typer.Option("--to", help="The contact.")],
    question: Annotated[str, typer.Option(help="What is texted, such as: Reply YES to agree to …")],
    agreement: Annotated[str, typer.Option(help="What YES agrees to, word for word.")],
) -> Shown:
    """Text a contact a question that YES answers (double opt-in). It costs a message."""
    held = number_of(client, from_)
    asked = client.consent.start_double_opt_in(
        phone_number_id=held.id, contact_number=to, confirmation_text=question, agreement_text=agreement
    )
    return Card(thing=asked, fields=ASKED, title="Asked")


@asks(consent, "form")
def form(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option("--from", help="Your number that will text, or its id.")],
    to: Annotated[str, typer.Option("--to", help="The contact.")],
    agreement: Annotated[str, typer.Option(help="What they agree to, word for word.")],
) -> Shown:
    """Make a link to a page on which a contact agrees; sending the link is yours to do."""
    held = number_of(client, from_)
    made = client.consent.create_hosted_form(phone_number_id=held.id, contact_number=to, agreement_text=agreement)
    return Card(thing=made, fields=("url", "expires_at"), title="Form")


@asks(consent, "get")
def get_consent(client: "AgentMessage", *, consent_id: ConsentId) -> Shown:
    """Show one consent."""
    return Card(thing=client.consent.get(consent_id), fields=FIELDS, title="Consent")


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
