"""What the rules say about a text, as sentences; pure."""

import re
from collections.abc import Iterator, Mapping

from agentmessage.compliance import rules
from agentmessage.compliance.errors import instant
from agentmessage.compliance.model import Case, Purse, Weight
from agentmessage.compliance.rules import Check
from agentmessage.compliance.schemas import Decided, Finding, Severity
from agentmessage.kernel.errors import ApiError

TITLES: Mapping[Check, tuple[str, str]] = {
    rules.sender_is_ours: ("sender", "The sender is one of your assigned numbers."),
    rules.sender_is_registered: ("registration", "The sender's campaign works and its carrier has confirmed it."),
    rules.recipient_may_be_texted: ("suppression", "The recipient has not opted out."),
    rules.consent_is_on_record: ("consent", "The recipient's consent is on record."),
    rules.consent_is_fresh: ("consent_freshness", "The consent is fresh enough."),
    rules.line_takes_texts: ("line_type", "No recent lookup says that the recipient is a fixed line."),
    rules.recipient_is_awake: ("quiet_hours", "The recipient is outside quiet hours."),
    rules.recipient_is_not_overtexted: ("freq_cap", "The recipient was not texted too often."),
}
PURSE = {
    "INSUFFICIENT_CREDIT": ("credit", "The wallet covers the text."),
    "RATE_LIMITED": ("rate", "The organization's pace has room."),
}
SHORTENERS = re.compile(
    r"\b(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|shorturl\.at)/", re.IGNORECASE
)
"""Links of public shorteners, which operators filter whoever sends them."""


def media_finding(refusal: ApiError | None) -> Finding:
    """Whether the carrier could fetch the media: sending looks at that first."""
    title = "Every file can be fetched by the carrier."
    return _passed("media", title) if refusal is None else _blocked("media", refusal)


def findings(case: Case, purse: Purse, weight: Weight, text: str | None) -> Iterator[Finding]:
    """Every check in the order of sending, and what guardrails do that refuses nothing."""
    for check in rules.SENDING[case.ask.kind]:
        name, title = TITLES[check]
        refusal = check(case)
        if refusal is not None:
            yield _blocked(name, refusal)
        elif check is rules.recipient_is_awake and case.opens_at is not None:
            title = "The recipient is in quiet hours: the text is accepted and sent at their end."
            yield Finding(name, Severity.WARN, None, title, None, {"opens_at": instant(case.opens_at)})
        else:
            yield _passed(name, title)
    refusals = {refusal.code: refusal for refusal in rules.purse_refusals(case, purse, weight)}
    for code, (name, title) in PURSE.items():
        yield _blocked(name, refusals[code]) if code in refusals else _passed(name, title)
    yield from _remarks(case, weight, text)


def _remarks(case: Case, weight: Weight, text: str | None) -> Iterator[Finding]:
    if weight.appended_text is not None:
        title = "The sender's disclosure is appended."
        yield Finding("autostamp", Severity.INFO, None, title, None, {"appended_text": weight.appended_text})
    if case.resolved.has_branded_link_advisory and SHORTENERS.search(text or ""):
        title = "The text has a link of a public shortener, which operators filter."
        fix = "Use links on a domain of your own."
        yield Finding("branded_link_advisory", Severity.WARN, None, title, fix, None)


def sources(case: Case) -> Mapping[str, Decided]:
    """Which scope decided about each guardrail."""
    return {
        tool.value: Decided(source.rung.value, source.scope_id, source.profile_id)
        for tool, source in case.resolved.sources.items()
    }


def _passed(name: str, title: str) -> Finding:
    return Finding(name, Severity.PASS, None, title, None, None)


def _blocked(name: str, refusal: ApiError) -> Finding:
    details = refusal.details
    if refusal.retry_after_s is not None:
        details = {**(details or {}), "retry_after_s": str(refusal.retry_after_s)}
    sentence = refusal.message[:1].upper() + refusal.message[1:] + "."
    return Finding(name, Severity.BLOCK, refusal.code, sentence, refusal.fix, details)
