"""Checks of a draft without a call to the registry: pure, each with a stable finding.

What `POST /v1/campaigns` rejects is a block, and so is content that contradicts its own flags. Missing wording only
warns: operators read for the meaning, and these checks only find words.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.brands.model import VERIFIED_IDENTITIES, Brand, BrandStatus
from agentmessage.campaigns.model import Usecase
from agentmessage.campaigns.schemas import CampaignDraft, CheckedUrl, Finding, Severity

DOCS_URL = "/docs#reviewCampaignDraft"
DETERMINISTIC = "deterministic"
LINKS = ("privacy_policy_link", "terms_and_conditions_link")
MESSAGES = {
    "subscriber_optin": "optin_message",
    "subscriber_optout": "optout_message",
    "subscriber_help": "help_message",
}

URL = re.compile(r"https?://\S|\bwww\.\S|\b[a-z0-9-]{1,63}\.(?:com|net|org|io|co|us|app|link|example)\b", re.IGNORECASE)
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}\.[^@\s]{1,63}")
PHONE = re.compile(r"(?<![\w.])(?:\+?1[-. ]?)?\(?[2-9][0-9]{2}\)?[-. ]?[0-9]{3}[-. ]?[0-9]{4}(?!\w)")
SHORTENER = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|rb\.gy|cutt\.ly|shorturl\.at)\b", re.IGNORECASE
)
PLACEHOLDER = re.compile(r"lorem ipsum|\bxxx|\btest message\b|\btodo\b", re.IGNORECASE)
STOP = re.compile(r"\b(?:stop|unsubscribe|opt[- ]?out|cancel|end|quit)\b", re.IGNORECASE)
FLAGGED_CONTENT = {"embedded_link": (URL, "a link"), "embedded_phone": (PHONE, "a phone number")}

SPECIAL: frozenset[str] = frozenset(
    {
        Usecase.AGENTS_FRANCHISES,
        Usecase.CARRIER_EXEMPT,
        Usecase.CHARITY,
        Usecase.EMERGENCY,
        Usecase.K12_EDUCATION,
        Usecase.POLITICAL,
        Usecase.PROXY,
        Usecase.SOCIAL,
        Usecase.SWEEPSTAKE,
        Usecase.TRIAL,
        Usecase.UCAAS_HIGH,
        Usecase.UCAAS_LOW,
    }
)
"""Use cases that operators review individually."""


class Wording(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that a field should have, and the finding if none of them is there."""

    id: str
    field: str
    words: str
    title: str
    fix: str


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """Content that needs a flag, or, without a flag, that operators do not carry."""

    id: str
    words: str
    title: str
    fix: str
    flag: str | None = None


class _ReviewTable(Struct, frozen=True, forbid_unknown_fields=True):
    wording: list[Wording]
    topic: list[Topic]


TABLE = msgspec.toml.decode(Path(__file__).with_name("review.toml").read_bytes(), type=_ReviewTable)
"""What reviewers look for, as data."""


def findings(
    draft: CampaignDraft,
    *,
    refusals: Mapping[str, str],
    brand: Brand | None,
    pages: Sequence[CheckedUrl],
) -> list[Finding]:
    """Every finding about a draft, the most severe first. `refusals`: why `POST /v1/campaigns` would reject it."""
    found = [
        *_refused(refusals),
        *_brand(brand, refusals, draft.samples),
        *_samples(draft.samples),
        *_toggles(draft),
        *_wording(draft),
        *_topics(draft),
        *_pages(draft, pages),
        *_notes(draft),
    ]
    order = list(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def counts(found: Iterable[Finding]) -> dict[str, int]:
    """Number of findings by severity, zeros included."""
    numbers = dict.fromkeys((severity.value for severity in Severity), 0)
    for finding in found:
        numbers[finding.severity.value] += 1
    return numbers


def brand_id(draft: CampaignDraft) -> UUID | None:
    """The draft's brand, if it is a valid id."""
    try:
        return UUID(draft.brand_id) if draft.brand_id else None
    except ValueError:
        return None


def _finding(
    finding_id: str, severity: Severity, field: str, *, category: str, title: str, fix: str, detail: str = ""
) -> Finding:
    return Finding(finding_id, severity, category, field, title, detail or f"{title}.", fix, DETERMINISTIC, DOCS_URL)


def _refused(refusals: Mapping[str, str]) -> Iterator[Finding]:
    for field, words in refusals.items():
        title = f"{field} {words}"
        fix = "Give it." if words.startswith("is required") else f"Correct it: it {words}."
        yield _finding(f"refused.{field}", Severity.BLOCK, field, category="required", title=title, fix=fix)


def _brand(brand: Brand | None, refusals: Mapping[str, str], samples: Mapping[str, str]) -> Iterator[Finding]:
    if "brand_id" in refusals:
        return
    if brand is None or brand.status == BrandStatus.DELETED:
        title, fix = "There is no such brand", "Use the id of one of your brands: GET /v1/brands."
        yield _finding("brand.not_found", Severity.BLOCK, "brand_id", category="brand", title=title, fix=fix)
        return
    if brand.identity_status not in VERIFIED_IDENTITIES:
        title, fix = "The brand is not verified", "Wait for the event brand.vetted, or correct the brand with PATCH."
        yield _finding("brand.not_verified", Severity.BLOCK, "brand_id", category="brand", title=title, fix=fix)
    if samples and not any(brand.display_name.lower() in text.lower() for text in samples.values()):
        title, fix = "No sample names the brand", f"Begin at least one sample with its name: {brand.display_name}."
        yield _finding("samples.brand_name", Severity.WARN, "sample1", category="samples", title=title, fix=fix)


def _samples(samples: Mapping[str, str]) -> Iterator[Finding]:
    if samples and not any(STOP.search(text) for text in samples.values()):
        title, fix = "No sample says how to opt out", "Add to at least one sample: reply STOP to opt out."
        yield _finding("samples.opt_out", Severity.WARN, "sample1", category="samples", title=title, fix=fix)
    if len(samples) == 1:
        title, fix = (
            "There is only one sample",
            "Give two or three that differ; several operators ask for more than one.",
        )
        yield _finding("samples.few", Severity.WARN, "sample2", category="samples", title=title, fix=fix)
    if len({" ".join(text.lower().split()) for text in samples.values()}) < len(samples):
        title, fix = "Two samples are the same", "Give samples that differ."
        yield _finding("samples.repeated", Severity.WARN, "sample2", category="samples", title=title, fix=fix)
    for field, text in samples.items():
        if PLACEHOLDER.search(text):
            title, fix = f"{field} looks like a placeholder", "Write the text as a recipient would get it."
            yield _finding("samples.placeholder", Severity.WARN, field, category="samples", title=title, fix=fix)
        if SHORTENER.search(text):
            title, fix = f"{field} has a public short link", "Use links of your own domain; operators filter these."
            yield _finding("samples.shortener", Severity.WARN, field, category="samples", title=title, fix=fix)


def _toggles(draft: CampaignDraft) -> Iterator[Finding]:
    for flag, (pattern, what) in FLAGGED_CONTENT.items():
        holders = [field for field, text in draft.samples.items() if pattern.search(EMAIL.sub(" ", text))]
        is_set = bool(getattr(draft, flag))
        if holders and not is_set:
            title = f"{', '.join(holders)} has {what}, but {flag} is not set"
            fix = f"Set {flag} to true, or remove {what} from the samples."
            yield _finding(f"{flag}.not_set", Severity.BLOCK, flag, category="content", title=title, fix=fix)
        is_shown = bool(holders) or (flag == "embedded_link" and bool(draft.embedded_link_sample))
        if is_set and draft.samples and not is_shown:
            title = f"{flag} is set, but no sample shows {what}"
            fix = f"Show {what} in a sample, or leave {flag} out."
            yield _finding(f"{flag}.not_shown", Severity.WARN, flag, category="content", title=title, fix=fix)


def _wording(draft: CampaignDraft) -> Iterator[Finding]:
    for rule in TABLE.wording:
        text = getattr(draft, rule.field)
        if text and not _has(rule.words, text):
            yield _finding(rule.id, Severity.WARN, rule.field, category="wording", title=rule.title, fix=rule.fix)
    for flag, field in MESSAGES.items():
        if getattr(draft, flag) and not getattr(draft, field):
            title, fix = f"{flag} is set without {field}", f"Write {field}: what the recipient is answered."
            yield _finding(f"{field}.missing", Severity.WARN, field, category="wording", title=title, fix=fix)
    if draft.description and draft.description == draft.message_flow:
        title = "description and message_flow are the same"
        fix = "Say what is texted in description, and how people agree to it in message_flow."
        yield _finding("message_flow.repeated", Severity.WARN, "message_flow", category="wording", title=title, fix=fix)


def _topics(draft: CampaignDraft) -> Iterator[Finding]:
    fields = {"description": draft.description or "", "message_flow": draft.message_flow or "", **draft.samples}
    for topic in TABLE.topic:
        if topic.flag is not None and getattr(draft, topic.flag):
            continue
        holder = next((field for field, text in fields.items() if _has(topic.words, text)), None)
        if holder is not None:
            field = topic.flag or holder
            yield _finding(topic.id, Severity.WARN, field, category="content", title=topic.title, fix=topic.fix)


def _pages(draft: CampaignDraft, pages: Sequence[CheckedUrl]) -> Iterator[Finding]:
    for field in LINKS:
        if not getattr(draft, field):
            title, fix = f"{field} is missing", f"Publish the page and give its address in {field}."
            yield _finding(f"{field}.missing", Severity.WARN, field, category="pages", title=title, fix=fix)
    for page in pages:
        if not page.reachable:
            title = f"The page of {page.field} could not be read"
            fix = "Make the page public, without login, and check the address."
            yield _finding(
                f"{page.field}.unreachable",
                Severity.WARN,
                page.field,
                category="pages",
                title=title,
                fix=fix,
                detail=f"{page.url}: {page.reason}",
            )


def _notes(draft: CampaignDraft) -> Iterator[Finding]:
    if draft.usecase in SPECIAL:
        title, fix = f"{draft.usecase} is looked at by each operator", "Expect days; have proof of eligibility ready."
        yield _finding("usecase.special", Severity.INFO, "usecase", category="usecase", title=title, fix=fix)
    if draft.number_pool:
        title = "More than 49 numbers need T-Mobile's consent besides"
        fix = "Ask the operator of this platform to request the pool once the campaign is approved."
        yield _finding("number_pool.approval", Severity.INFO, "number_pool", category="usecase", title=title, fix=fix)


def _has(words: str, text: str) -> bool:
    return re.search(words, text, re.IGNORECASE | re.DOTALL) is not None
