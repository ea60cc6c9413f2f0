"""Findings of preflight: every check as a sentence; pure."""

import re
from collections.abc import Iterator, Mapping

from agentmessage.compliance import rules
from agentmessage.compliance.errors import instant
from agentmessage.compliance.model import Cost, Evaluation, SendAllowance
from agentmessage.compliance.rules import Check
from agentmessage.compliance.schemas import Decided, Finding, Severity
from agentmessage.kernel.errors import ApiError

TITLES: Mapping[Check, tuple[str, str]] = {
    rules.sender_is_assigned: ("sender", "The sender is one of your assigned numbers."),
    rules.sender_is_registered: ("registration", "The sender's campaign works and its carrier has confirmed it."),
    rules.recipient_has_not_opted_out: ("suppression", "The recipient has not opted out."),
    rules.consent_is_on_record: ("consent", "The recipient's consent is on record."),
    rules.consent_is_fresh: ("consent_freshness", "The consent is fresh enough."),
    rules.line_type_can_receive: ("line_type", "No recent lookup says that the recipient is a fixed line."),
    rules.outside_quiet_hours: ("quiet_hours", "The recipient is outside quiet hours."),
    rules.within_frequency_cap: ("freq_cap", "The recipient was not texted too often."),
}
ALLOWANCE = {
    "INSUFFICIENT_CREDIT": ("credit", "The wallet covers the text."),
    "RATE_LIMITED": ("rate", "The organization's pace has room."),
}
SHORTENERS = re.compile(
    r"\b(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|shorturl\.at)/", re.IGNORECASE
)
"""Links of public shorteners, which operators filter for every sender."""


def media_finding(error: ApiError | None) -> Finding:
    """Whether the carrier can fetch the media; sending checks that first."""
    title = "Every file can be fetched by the carrier."
    return _passed("media", title) if error is None else _blocked("media", error)


def findings(evaluation: Evaluation, allowance: SendAllowance, cost: Cost, text: str | None) -> Iterator[Finding]:
    """Every check in the order of sending, and remarks of guardrails that reject nothing."""
    for check in rules.SENDING[evaluation.request.kind]:
        name, title = TITLES[check]
        error = check(evaluation)
        if error is not None:
            yield _blocked(name, error)
        elif check is rules.outside_quiet_hours and evaluation.opens_at is not None:
            title = "The recipient is in quiet hours: the text is accepted and sent at their end."
            yield Finding(name, Severity.WARN, None, title, None, {"opens_at": instant(evaluation.opens_at)})
        else:
            yield _passed(name, title)
    errors = {error.code: error for error in rules.allowance_errors(evaluation, allowance, cost)}
    for code, (name, title) in ALLOWANCE.items():
        yield _blocked(name, errors[code]) if code in errors else _passed(name, title)
    yield from _remarks(evaluation, cost, text)


def _remarks(evaluation: Evaluation, cost: Cost, text: str | None) -> Iterator[Finding]:
    if cost.appended_text is not None:
        title = "The sender's disclosure is appended."
        yield Finding("autostamp", Severity.INFO, None, title, None, {"appended_text": cost.appended_text})
    if evaluation.resolved.has_branded_link_advisory and SHORTENERS.search(text or ""):
        title = "The text has a link of a public shortener, which operators filter."
        fix = "Use links on a domain of your own."
        yield Finding("branded_link_advisory", Severity.WARN, None, title, fix, None)


def sources(evaluation: Evaluation) -> Mapping[str, Decided]:
    """The scope that decided each guardrail."""
    return {
        tool.value: Decided(source.rung.value, source.scope_id, source.profile_id)
        for tool, source in evaluation.resolved.sources.items()
    }


def _passed(name: str, title: str) -> Finding:
    return Finding(name, Severity.PASS, None, title, None, None)


def _blocked(name: str, error: ApiError) -> Finding:
    details = error.details
    if error.retry_after_s is not None:
        details = {**(details or {}), "retry_after_s": str(error.retry_after_s)}
    sentence = error.message[:1].upper() + error.message[1:] + "."
    return Finding(name, Severity.BLOCK, error.code, sentence, error.fix, details)
