"""What may be changed about an organization, and what a change consists of; pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.organizations.errors import AttestationRequired, ResellerHasBrands, ResellerNotEligible
from agentmessage.organizations.model import AutoReplies, Mode, OptOutScope, Organization, QuietHours
from agentmessage.organizations.schemas import AutoRepliesPatch, OrganizationPatch, QuietHoursPatch
from agentmessage.sms.visible import is_blank

RETENTION = ("message_retention_days", "mms_retention_days")
REPLY_TEXTS = ("stop_text", "help_text", "start_text")
OTHERS = ("name", "billing_email", "is_reseller", "quiet_hours", "opt_out_scope")


def fresh(
    org_id: UUID, *, mode: Mode, name: str, billing_email: str | None, is_commercial: bool, now: datetime
) -> Organization:
    """An organization on its first day, with the reference's defaults."""
    return Organization(
        id=org_id,
        mode=mode,
        name=name,
        billing_email=billing_email,
        plan="payg",
        throughput_tier=1,
        message_retention_days=90,
        mms_retention_days=30,
        is_commercial=is_commercial,
        is_reseller=False,
        quiet_hours=QuietHours(),
        auto_replies=AutoReplies(),
        opt_out_scope=OptOutScope.BRAND,
        created_at=now,
        updated_at=now,
    )


def patched(old: Organization, wish: OrganizationPatch, *, brand_count: int, now: datetime) -> Organization:
    """The organization as wished for. Raises what `operations.patch` says."""
    new = msgspec.structs.replace(
        old,
        quiet_hours=_quiet_hours(old.quiet_hours, wish.quiet_hours)
        if wish.quiet_hours is not UNSET
        else old.quiet_hours,
        auto_replies=_auto_replies(old.auto_replies, wish.auto_replies)
        if wish.auto_replies is not UNSET
        else old.auto_replies,
        **_given(wish, (*RETENTION, "name", "billing_email", "is_reseller", "opt_out_scope")),
    )
    require_reseller_move(old, new, brand_count=brand_count)
    return new if new == old else msgspec.structs.replace(new, updated_at=now)


def require_reseller_move(old: Organization, new: Organization, *, brand_count: int) -> None:
    """Refuse to become a reseller without being commercial, or to stop being one while brands are left."""
    if new.is_reseller and not old.is_reseller and not old.is_commercial:
        raise ResellerNotEligible
    if old.is_reseller and not new.is_reseller and brand_count:
        raise ResellerHasBrands


def changes(old: Organization, new: Organization, *, attestation: str | None) -> Mapping[str, Mapping[str, object]]:
    """What differs, by audit action: each with the values before and after. Empty when nothing does."""
    told: dict[str, Mapping[str, object]] = {}
    for action, names in (("retention.update", RETENTION), ("organization.update", OTHERS)):
        differing = [name for name in names if getattr(old, name) != getattr(new, name)]
        if differing:
            told[action] = {
                "before": {name: getattr(old, name) for name in differing},
                "after": {name: getattr(new, name) for name in differing},
            }
    if old.auto_replies != new.auto_replies:
        told["auto_replies.update"] = {
            "before": old.auto_replies,
            "after": new.auto_replies,
            "attestation": attestation,
        }
    return told


def _quiet_hours(old: QuietHours, wish: QuietHoursPatch) -> QuietHours:
    new = msgspec.structs.replace(old, **_given(wish, wish.__struct_fields__))
    if new.start == new.end:
        raise ValidationFailed({"quiet_hours.end": "must differ from start"})
    return new


def _auto_replies(old: AutoReplies, wish: AutoRepliesPatch) -> AutoReplies:
    new = msgspec.structs.replace(old, **_given(wish, ("enabled", *REPLY_TEXTS)))
    unseen = [name for name in REPLY_TEXTS if is_blank(getattr(new, name) or "-")]
    if unseen:
        raise ValidationFailed({f"auto_replies.{name}": "must not be blank; null is the default" for name in unseen})
    is_attested = wish.attestation is not UNSET and bool(wish.attestation.strip())
    if old.enabled and not new.enabled and not is_attested:
        raise AttestationRequired
    return new


def _given(wish: msgspec.Struct, names: tuple[str, ...]) -> dict[str, object]:
    """The fields that the caller sent."""
    return {name: value for name in names if (value := getattr(wish, name)) is not UNSET}
