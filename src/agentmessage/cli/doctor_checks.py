"""The checks of `doctor`, in the order in which a message needs them: from the API key to the credit.

A failed check does not end the run. A check that the key may not read is reported as unknown.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from agentmessage.cli.advice import in_terminal_words
from agentmessage.cli.command import number_of
from agentmessage.cli.doctor_report import Diagnosis, Finding, bad, good, unknown
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
"""The default message text: one segment, GSM characters."""

REPORTED_CHECKS = {
    "sender": ("number",),
    "registration": ("campaign", "propagation"),
    "suppression": ("consent",),
    "consent": ("consent",),
    "credit": ("credit",),
}
"""Preflight checks, and the checks of `doctor` that already cover them."""

SEVERITIES = {
    PreflightSeverity.PASS: True,
    PreflightSeverity.INFO: True,
    PreflightSeverity.WARN: True,
    PreflightSeverity.BLOCK: False,
}


def diagnose(client: AgentMessage, word: str, *, key: str, to: str | None, text: str | None) -> Diagnosis:
    """Check everything that a message from a number needs. Raises APIConnectionError."""
    walk = _Walk(client, word)
    findings = [walk.key()]
    if findings[0].is_ok is False:
        return Diagnosis(number=word, to=to, findings=findings)
    findings += [walk.scope(key), walk.number(), walk.campaign(), walk.brand(), walk.propagation()]
    if to is not None:
        findings.append(walk.consent(to))
    findings.append(walk.credit())
    if to is not None:
        findings += walk.preflight(to, text or PROBE, known=findings)
    return Diagnosis(number=walk.held.number if walk.held else word, to=to, findings=findings)


class _Walk:
    """One run; each check stores what later ones need."""

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
            return good("key", "The key is valid; it may not read its organization.")
        return good("key", f"The key is valid and belongs to {found.name}.")

    def scope(self, key: str) -> Finding:
        """The key may send."""
        try:
            keys = self._client.api_keys.list(limit=100).all()
            own = next((listed for listed in keys if key.startswith(listed.prefix[:PREFIX_LENGTH])), None)
        except ForbiddenError:
            return unknown("scope", f"A key with apikeys:read is needed to check for {SENDING}.")
        if own is None:
            return unknown("scope", f"The key is not listed, so {SENDING} cannot be checked.")
        if SENDING in own.scopes:
            return good("scope", f"The key has {SENDING}.")
        return bad("scope", f"The key lacks {SENDING}.", "Use a key that has it; scopes cannot be added to a key.")

    def number(self) -> Finding:
        """The number is assigned to the organization."""
        try:
            self.held = number_of(self._client, self._word)
        except ForbiddenError as error:
            return unknown("number", f"The key may not read numbers. {error.fix}")
        except (Failure, APIError):
            fix = "See yours with `agentmessage numbers list`, or order one with `agentmessage numbers order`."
            return bad("number", f"{self._word} is not one of your assigned numbers.", fix)
        return good("number", f"{self.held.number} is yours.")

    def campaign(self) -> Finding:
        """The number is on a campaign that is approved and not suspended."""
        held = self.held
        if held is None:
            return unknown("campaign", "There is no number to check.")
        if held.campaign_id is None:
            fix = f"Attach it to one with `agentmessage numbers attach {held.number} CAMPAIGN`."
            return bad("campaign", "The number is not attached to a campaign.", fix)
        campaign = self._campaign = _perhaps(lambda: self._client.campaigns.get(held.campaign_id or ""))
        if campaign is None:
            return unknown("campaign", f"The key may not read campaign {held.campaign_id}.")
        name = f"{campaign.usecase} ({campaign.id})"
        if campaign.is_suspended:
            return bad("campaign", f"{name} is suspended by an operator.", "Wait for campaign.resumed, or ask why.")
        if campaign.status != "ACTIVE":
            reasons = "; ".join(campaign.rejection_reasons)
            message = f"{name} is {campaign.status}{f': {reasons}' if reasons else ''}."
            return bad("campaign", message, _CAMPAIGN_FIXES.get(campaign.status, _OTHER_CAMPAIGN))
        return good("campaign", f"{name} is ACTIVE.")

    def brand(self) -> Finding:
        """The campaign's brand is registered."""
        campaign = self._campaign
        if campaign is None:
            return unknown("brand", "There is no campaign to check.")
        brand = _perhaps(lambda: self._client.brands.get(campaign.brand_id))
        if brand is None:
            return unknown("brand", f"The key may not read brand {campaign.brand_id}.")
        message = f"{brand.display_name} is {brand.status}, identity {brand.identity_status or 'not vetted yet'}."
        if brand.status != "ACTIVE":
            reasons = " ".join(brand.failure_reasons)
            return bad(
                "brand",
                f"{message} {reasons}".strip(),
                "Correct it, or register another; see `agentmessage brands get`.",
            )
        return good("brand", message)

    def propagation(self) -> Finding:
        """The observed binding is the desired one."""
        held = self.held
        if held is None or held.campaign_id is None:
            return unknown("propagation", "There is no binding to check.")
        line = self._client.phone_numbers.get_carrier_line_option(held.id)
        if line.can_send or line.status == "propagated":
            return good("propagation", "The carrier has confirmed the campaign.")
        wait = f"Wait; `agentmessage numbers line-option {held.number}` shows the progress."
        fix = line.last_error.fix if line.last_error else wait
        return bad("propagation", line.reason, fix)

    def consent(self, to: str) -> Finding:
        """The contact has given consent and not opted out."""
        held = self.held
        if held is None:
            return unknown("consent", "There is no number to check.")
        try:
            found = self._client.consent.list(contact_number=to, phone_number_id=held.id, limit=1).data
        except ForbiddenError:
            return unknown("consent", "The key may not read consents.")
        if not found:
            return bad("consent", f"No consent of {to} is on record.", ConsentRequiredError.default_fix)
        if found[0].opted_in:
            return good("consent", f"{to} has agreed ({found[0].consent_method or found[0].source}).")
        cause = f" ({found[0].suppressed_by})" if found[0].suppressed_by else ""
        return bad("consent", f"{to} has opted out{cause}.", RecipientOptedOutError.default_fix)

    def credit(self) -> Finding:
        """The wallet has credit."""
        try:
            wallet = self._client.billing.get_wallet()
        except ForbiddenError:
            return unknown("credit", "The key may not read the wallet.")
        message = f"The balance is {dollars(wallet.balance_cents)}."
        if wallet.balance_cents > 0:
            return good("credit", message)
        return bad("credit", message, "Top it up; the operator can credit it: `agentmessage admin wallet credit`.")

    def preflight(self, to: str, text: str, *, known: list[Finding]) -> Iterator[Finding]:
        """Preflight findings that no earlier check covers."""
        if self.held is None:
            return
        try:
            result = self._client.guardrails.preflight(from_=self.held.number, to=to, text=text)
        except APIError as error:
            yield bad("preflight", f"The preflight failed: {error.message}.", error.fix)
            return
        failed = {finding.check for finding in known if finding.is_ok is False}
        for finding in result.findings:
            reported = REPORTED_CHECKS.get(finding.check, ())
            if reported and (finding.severity != PreflightSeverity.BLOCK or failed & set(reported)):
                continue
            yield _judged(finding)


_CAMPAIGN_FIXES = {
    "PENDING": "Wait for its approval (event campaign.approved); it takes days with real operators.",
    "REJECTED": "Register a corrected one: `agentmessage campaigns review` checks a draft.",
    "EXPIRED": "Register a new one and attach the number to it.",
}
_OTHER_CAMPAIGN = "See `agentmessage campaigns get`."


def _judged(finding: PreflightFinding) -> Finding:
    details = "".join(f" {name}: {text}." for name, text in (finding.details or {}).items())
    return Finding(
        check=finding.check,
        is_ok=SEVERITIES.get(finding.severity),
        message=f"{finding.title}{details}",
        fix=in_terminal_words(finding.suggested_fix) if finding.suggested_fix else None,
    )


def _perhaps(read: Callable[[], T]) -> T | None:
    """The result of a read, or None if the key may not read it."""
    try:
        return read()
    except (ForbiddenError, NotFoundError):
        return None
