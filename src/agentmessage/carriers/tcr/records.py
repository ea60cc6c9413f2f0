"""What the registry shows, and how one status of ours follows from it (docs/carriers/tcr.md, sections 2 and 3)."""

from datetime import date

from msgspec import Struct

from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import RegisteredBrand, RegisteredCampaign

MnoMetadata = dict[str, dict[str, str | int | float | bool | None]]
OperationStatus = dict[str, str]


class BrandRecord(Struct, rename="camel"):
    """A brand as shown; only what we use."""

    brand_id: str
    reference_id: str | None = None
    identity_status: str | None = None


class FeedbackCategory(Struct, rename="camel"):
    """One reason why an identity could not be confirmed."""

    id: str = ""
    description: str | None = None
    fields: list[str] | None = None


class Feedback(Struct, rename="camel"):
    """Why an identity could not be confirmed; no category means that nobody has looked yet."""

    category: list[FeedbackCategory] | None = None


class SubmittedCampaign(Struct, rename="camel"):
    """The answer to a new campaign."""

    campaign_id: str


class CampaignRecord(Struct, rename="camel"):
    """A campaign as shown; only what we use. Dates are read leniently: an instant counts as its day."""

    campaign_id: str
    status: str | None = None
    reference_id: str | None = None
    billed_date: str | None = None
    next_renewal_or_expiration_date: str | None = None


class SharingStatus(Struct, rename="camel"):
    """How one hand-over to a partner stands."""

    sharing_status: str | None = None
    upstream_cnp_id: str | None = None
    explanation: str | None = None


class Sharing(Struct, rename="camel"):
    """The chain around us; `shared_by_me` is null or absent until we have shared."""

    shared_by_me: SharingStatus | None = None


class Page(Struct, rename="camel"):
    """A list of brands or campaigns, as far as both are alike."""

    total_records: int
    records: list["ListedRecord"]


class ListedRecord(Struct, rename="camel"):
    """One row; a brand has no campaign id, a campaign has both."""

    brand_id: str | None = None
    campaign_id: str | None = None
    reference_id: str | None = None


def brand(record: BrandRecord, feedback: Feedback | None) -> RegisteredBrand:
    """A brand in our words. UNVERIFIED without any feedback means that the registry has not looked yet."""
    categories = (feedback.category if feedback else None) or []
    identity = record.identity_status or None
    if identity == "UNVERIFIED" and not categories:
        identity = None
    return RegisteredBrand(
        tcr_brand_id=record.brand_id,
        reference_id=record.reference_id or "",
        identity_status=identity,
        feedback=tuple(f"{c.id}: {c.description or ', '.join(c.fields or [])}".rstrip(": ") for c in categories),
    )


def campaign(
    record: CampaignRecord, sharing: Sharing, operations: OperationStatus, metadata: MnoMetadata
) -> RegisteredCampaign:
    """A campaign in our words, from the four places that know about it. Raises Misunderstood on a bad date."""
    shared = sharing.shared_by_me or SharingStatus()
    return RegisteredCampaign(
        tcr_campaign_id=record.campaign_id,
        reference_id=record.reference_id or "",
        status=_status(record, shared, operations),
        is_shared=is_handed_on(sharing),
        mno_metadata=metadata,
        rejection_reasons=tuple(_reasons(shared, operations, metadata)),
        billed_on=_day(record.billed_date),
        renews_on=_day(record.next_renewal_or_expiration_date),
    )


def is_handed_on(sharing: Sharing) -> bool:
    """A partner has the campaign, whether it has looked at it yet or not."""
    return sharing.shared_by_me is not None and sharing.shared_by_me.sharing_status in ("PENDING", "ACCEPTED")


def _status(record: CampaignRecord, shared: SharingStatus, operations: OperationStatus) -> str:
    """The table of section 3, first match."""
    said = set(operations.values())
    if record.status == "EXPIRED":
        return "EXPIRED"
    if shared.sharing_status == "DECLINED" or "REJECTED" in said:
        return "REJECTED"
    if "SUSPENDED" in said:
        return "SUSPENDED"
    if shared.sharing_status == "ACCEPTED" and said and "REVIEW" not in said:
        return "ACTIVE"
    return "PENDING"


def _reasons(shared: SharingStatus, operations: OperationStatus, metadata: MnoMetadata) -> list[str]:
    reasons: list[str] = []
    if shared.sharing_status == "DECLINED":
        reasons.append(shared.explanation or f"{shared.upstream_cnp_id or 'the partner'} declined the campaign")
    for operator, status in sorted(operations.items()):
        if status == "REJECTED":
            reasons.append(f"{metadata.get(operator, {}).get('mno') or operator} rejected the campaign")
    return reasons


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Misunderstood(f"not a date: {text[:40]!r}") from error
