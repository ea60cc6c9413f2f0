"""What an endpoint may be, and what a request makes of it; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, structs

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.rollups.model import Count
from agentmessage.web import webhook_urls
from agentmessage.webhooks.errors import EndpointLimitExceeded
from agentmessage.webhooks.model import (
    API_VERSIONS,
    MAX_DESCRIPTION_CHARS,
    MAX_ENDPOINTS,
    MAX_ENDPOINTS_IN_ALL,
    MAX_SUBSCRIPTIONS,
    SUBSCRIBABLE,
    Attempt,
    DestinationKind,
    Endpoint,
    Outcome,
    Reply,
    WrittenOff,
)
from agentmessage.webhooks.schemas import EndpointCreate, EndpointPatch

KNOWN = frozenset(SUBSCRIBABLE)


def require_sound(body: EndpointCreate | EndpointPatch, *, allow_private: bool) -> None:
    """Reject faulty values. Raises ValidationFailed naming every faulty field."""
    faults: dict[str, str | None] = {}
    if body.url is not UNSET:
        faults["url"] = webhook_urls.url_error(body.url, allow_private=allow_private)
    if body.events is not UNSET:
        faults["events"] = _events_fault(body.events)
    if isinstance(body.description, str):
        faults["description"] = _description_fault(body.description)
    if isinstance(body, EndpointCreate) and body.api_version not in API_VERSIONS:
        faults["api_version"] = "must be a supported version: " + ", ".join(API_VERSIONS)
    details = {field: words for field, words in faults.items() if words is not None}
    if details:
        raise ValidationFailed(details)


def _events_fault(events: Sequence[str]) -> str | None:
    if not 1 <= len(events) <= MAX_SUBSCRIPTIONS or len(set(events)) < len(events):
        return f"must be 1..{MAX_SUBSCRIPTIONS} different event types"
    unknown = next((kind for kind in events if kind not in KNOWN), None)
    return None if unknown is None else f"must be event types that can be subscribed to, unlike {ascii(unknown)[:64]}"


def _description_fault(description: str) -> str | None:
    if len(description.strip()) > MAX_DESCRIPTION_CHARS or "\x00" in description:
        return f"must be at most {MAX_DESCRIPTION_CHARS} characters, none of them NUL"
    return None


def drafted(body: EndpointCreate, *, endpoint_id: UUID, org_id: UUID, now: datetime) -> Endpoint:
    """A new endpoint; it gets what happens from now on."""
    return Endpoint(
        endpoint_id,
        org_id,
        body.url,
        _trimmed(body.description),
        body.events,
        active=True,
        api_version=body.api_version,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )


def patched(old: Endpoint, body: EndpointPatch, *, now: datetime) -> Endpoint:
    """The endpoint with the requested changes; the same object when nothing differs."""
    new = structs.replace(
        old,
        url=old.url if body.url is UNSET else body.url,
        events=old.events if body.events is UNSET else body.events,
        description=old.description if body.description is UNSET else _trimmed(body.description),
        active=old.active if body.active is UNSET else body.active,
    )
    return old if new == old else structs.replace(new, updated_at=now)


def _trimmed(description: str | None) -> str | None:
    return (description or "").strip() or None


def require_room(*, active: int, in_all: int) -> None:
    """Refuse one endpoint more than there may be; the counts are of those there are. Raises EndpointLimitExceeded."""
    if active >= MAX_ENDPOINTS or in_all >= MAX_ENDPOINTS_IN_ALL:
        raise EndpointLimitExceeded


def for_audit(endpoint: Endpoint) -> Mapping[str, object]:
    """What the audit log keeps of an endpoint: its address without the query, where people put tokens."""
    return {"url": endpoint.url.partition("?")[0], "events": endpoint.events, "active": endpoint.active}


def outcome_of_test(reply: Reply) -> Outcome:
    """A test is never tried again, so one that fails is dead."""
    return Outcome.SUCCESS if reply.is_success else Outcome.DEAD


METRICS: Mapping[Outcome, str] = {
    Outcome.SUCCESS: "delivered",
    Outcome.RETRY: "retried",
    Outcome.DEAD: "failed",
}


def counted(attempt: Attempt) -> Count:
    """An attempt as the metrics count it."""
    status = attempt.response_status
    labels = _labels(attempt.queue_id, attempt.kind, "none" if status is None else f"{status // 100}xx")
    return Count(attempt.org_id, f"webhooks.{METRICS[attempt.outcome]}", attempt.occurred_at, labels, 1)


def counted_written_off(lost: WrittenOff, *, at: datetime) -> Count:
    """Deliveries that a full queue did not take, as the metrics count them: dead, without a response."""
    labels = _labels(lost.queue_id, lost.kind, "none")
    return Count(lost.org_id, f"webhooks.{METRICS[Outcome.DEAD]}", at, labels, lost.count)


def _labels(queue_id: UUID, kind: DestinationKind, http_status_class: str) -> Mapping[str, str]:
    return {"endpoint_id": str(queue_id), "kind": str(kind), "http_status_class": http_status_class}
