"""Looks at everything that a text needs, in the order in which it needs it: from the key to the credit.

What is missing does not end the walk: whatever can still be looked at is. What the key may not read is told as such.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from agentmessage.cli.advice import in_terminal_words
from agentmessage.cli.command import number_of
from agentmessage.cli.doctor_report import Diagnosis, Finding, bad, good, unseen
from agentmessage.cli.errors import Failure
from agentmessage.cli.login import PREFIX_LENGTH
from agentmessage.cli.tables import dollars
from agentmessage.sdk import AgentMessage
from agentmessage.sdk.errors import (
    ConsentRequiredError,
    ForbiddenError,
    NotFoundError,
    RecipientOptedOutError,
    UnauthorizedError,
)
from agentmessage.sdk.exceptions import APIError
from agentmessage.sdk.models import Campaign, PhoneNumber, PreflightFinding, PreflightSeverity

T = TypeVar("T")

SENDING = "messages:send"
PROBE = "Hello"
"""What is asked about when nobody says what the text shall say: one part, plain characters."""

TOLD_BEFORE = {
    "sender": ("number",),
    "registration": ("campaign", "propagation"),
    "suppression": ("consent",),
    "consent": ("consent",),
    "credit": ("credit",),
}
"""Checks of a preflight, and those of the walk that say the same in more words."""

SEVERITIES = {
    PreflightSeverity.PASS: True,
    PreflightSeverity.INFO: True,
    PreflightSeverity.WARN: True,
    PreflightSeverity.BLOCK: False,
}


def diagnose(client: AgentMessage, word: str, *, key: str, to: str | None, text: str | None) -> Diagnosis:
    """Everything that stands between a number and a text from it. Raises APIConnectionError."""
    walk = _Walk(client, word)
    findings = [walk.key()]
    if findings[0].is_ok is False:
        return Diagnosis(number=word, to=to, findings=findings)
    findings += [walk.scope(key), walk.number(), walk.campaign(), walk.brand(), walk.propagation()]
    if to is not None:
        findings.append(walk.consent(to))
    findings.append(walk.credit())
    if to is not None:
        findings += walk.law(to, text or PROBE, known=findings)
    return Diagnosis(number=walk.held.number if walk.held else word, to=to, findings=findings)


class _Walk:
    """One walk; each step keeps what later ones need."""

    def __init__(self, client: AgentMessage, word: str) -> None:
        self._client = client
        self._word = word
        self._campaign: Campaign | None = None
        self.held: PhoneNumber | None = None

    def key(self) -> Finding:
        """The platform knows the key."""
        try:
            found = self._client.organization.get()
        except UnauthorizedError:
            return bad(
                "key", "The platform does not know this key.", "Run `agentmessage login` with one that is valid."
            )
        except ForbiddenError:
            return good("key", "The key is valid; whose it is, it may not read.")
        return good("key", f"The key is valid, and {found.name}'s.")

    def scope(self, key: str) -> Finding:
        """The key may send."""
        try:
            keys = self._client.api_keys.list(limit=100).all()
            mine = next((one for one in keys if key.startswith(one.prefix[:PREFIX_LENGTH])), None)
        except ForbiddenError:
            return unseen("scope", f"Whether the key has {SENDING} only one with apikeys:read can tell.")
        if mine is None:
            return unseen("scope", f"Whether the key has {SENDING} cannot be told: it is not listed.")
        if SENDING in mine.scopes:
            return good("scope", f"The key has {SENDING}.")
        return bad("scope", f"The key lacks {SENDING}.", "Use a key that has it; scopes cannot be added to one.")

    def number(self) -> Finding:
        """The number is assigned to the organization."""
        try:
            self.held = number_of(self._client, self._word)
        except ForbiddenError as error:
            return unseen("number", f"The key may not read numbers. {error.fix}")
        except (Failure, APIError):
            fix = "See yours with `agentmessage numbers list`, or order one with `agentmessage numbers order`."
            return bad("number", f"{self._word} is none of your assigned numbers.", fix)
        return good("number", f"{self.held.number} is yours.")

    def campaign(self) -> Finding:
        """The number is on a campaign that is approved and not suspended."""
        held = self.held
        if held is None:
            return unseen("campaign", "There is no number to look at.")
        if held.campaign_id is None:
            fix = f"Put it on one with `agentmessage numbers attach {held.number} CAMPAIGN`."
            return bad("campaign", "The number is on no campaign.", fix)
        campaign = self._campaign = _perhaps(lambda: self._client.campaigns.get(held.campaign_id or ""))
        if campaign is None:
            return unseen("campaign", f"The key may not read campaign {held.campaign_id}.")
        name = f"{campaign.usecase} ({campaign.id})"
        if campaign.is_suspended:
            return bad("campaign", f"{name} is suspended by an operator.", "Wait for campaign.resumed, or ask why.")
        if campaign.status != "ACTIVE":
            reasons = "; ".join(campaign.rejection_reasons)
            told = f"{name} is {campaign.status}{f': {reasons}' if reasons else ''}."
            return bad("campaign", told, _CAMPAIGN_FIXES.get(campaign.status, _OTHER_CAMPAIGN))
        return good("campaign", f"{name} is ACTIVE.")

    def brand(self) -> Finding:
        """The campaign's brand is registered."""
        campaign = self._campaign
        if campaign is None:
            return unseen("brand", "There is no campaign to look at.")
        brand = _perhaps(lambda: self._client.brands.get(campaign.brand_id))
        if brand is None:
            return unseen("brand", f"The key may not read brand {campaign.brand_id}.")
        told = f"{brand.display_name} is {brand.status}, identity {brand.identity_status or 'not looked at yet'}."
        if brand.status != "ACTIVE":
            reasons = " ".join(brand.failure_reasons)
            return bad(
                "brand", f"{told} {reasons}".strip(), "Correct it, or file another; see `agentmessage brands get`."
            )
        return good("brand", told)

    def propagation(self) -> Finding:
        """The carrier has what is wanted."""
        held = self.held
        if held is None or held.campaign_id is None:
            return unseen("propagation", "There is nothing that the carrier should have.")
        line = self._client.phone_numbers.get_carrier_line_option(held.id)
        if line.can_send or line.status == "propagated":
            return good("propagation", "The carrier has confirmed the campaign.")
        fix = line.last_error.fix if line.last_error else f"Wait; `agentmessage numbers line {held.number}` shows it."
        return bad("propagation", line.reason, fix)

    def consent(self, to: str) -> Finding:
        """The contact has agreed, and not taken it back."""
        held = self.held
        if held is None:
            return unseen("consent", "There is no number to agree to.")
        try:
            found = self._client.consent.list(contact_number=to, phone_number_id=held.id, limit=1).data
        except ForbiddenError:
            return unseen("consent", "The key may not read consents.")
        if not found:
            return bad("consent", f"No consent of {to} is on record.", ConsentRequiredError.default_fix)
        if found[0].opted_in:
            return good("consent", f"{to} has agreed ({found[0].consent_method or found[0].source}).")
        cause = f" ({found[0].suppressed_by})" if found[0].suppressed_by else ""
        return bad("consent", f"{to} has opted out{cause}.", RecipientOptedOutError.default_fix)

    def credit(self) -> Finding:
        """There is money."""
        try:
            wallet = self._client.billing.get_wallet()
        except ForbiddenError:
            return unseen("credit", "The key may not read the wallet.")
        told = f"The wallet holds {dollars(wallet.balance_cents)}."
        if wallet.balance_cents > 0:
            return good("credit", told)
        return bad("credit", told, "Top it up; whoever hosts the platform can: `agentmessage admin wallet credit`.")

    def law(self, to: str, text: str, *, known: list[Finding]) -> Iterator[Finding]:
        """What the platform's own rules say about this text now, as far as it was not told before."""
        if self.held is None:
            return
        try:
            asked = self._client.guardrails.preflight(from_=self.held.number, to=to, text=text)
        except APIError as error:
            yield bad("preflight", f"The platform cannot judge it: {error.message}.", error.fix)
            return
        was_bad = {one.check for one in known if one.is_ok is False}
        for finding in asked.findings:
            before = TOLD_BEFORE.get(finding.check, ())
            if before and (finding.severity != PreflightSeverity.BLOCK or was_bad & set(before)):
                continue
            yield _judged(finding)


_CAMPAIGN_FIXES = {
    "PENDING": "Wait for its approval (event campaign.approved); it takes days with real operators.",
    "REJECTED": "File a corrected one: `agentmessage campaigns review` finds the faults beforehand.",
    "EXPIRED": "File a new one and attach the number to it.",
}
_OTHER_CAMPAIGN = "See `agentmessage campaigns get`."


def _judged(finding: PreflightFinding) -> Finding:
    details = "".join(f" {name}: {text}." for name, text in (finding.details or {}).items())
    return Finding(
        check=finding.check,
        is_ok=SEVERITIES.get(finding.severity),
        told=f"{finding.title}{details}",
        fix=in_terminal_words(finding.suggested_fix) if finding.suggested_fix else None,
    )


def _perhaps(read: Callable[[], T]) -> T | None:
    """What may be read; None when the key may not."""
    try:
        return read()
    except (ForbiddenError, NotFoundError):
        return None
