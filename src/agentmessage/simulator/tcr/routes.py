"""The registry's routes under `/v2`: JSON in camelCase, errors as an array of code, field and description."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agentmessage.simulator.core.entities import RegistryBrand, RegistryCampaign, RegistryWebhook
from agentmessage.simulator.core.http_types import HttpResponse, json_response
from agentmessage.simulator.core.magic_values import BrandOutcome, brand_outcome
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, VendorRoute
from agentmessage.simulator.core.shared_state import SharedState, stamp
from agentmessage.simulator.tcr.operator_metadata import operator_metadata
from agentmessage.simulator.tcr.registry import CSP_ID, SimulatedRegistry

_BRAND_FIELDS = ("entityType", "displayName", "country")
_CAMPAIGN_FIELDS = ("brandId", "usecase", "description")
_FIXED = frozenset({"brandId", "cspId", "identityStatus", "universalEin", "mock", "referenceId"})
_CATEGORIES = frozenset({"BRAND", "CAMPAIGN", "VETTING", "CSP", "INCIDENCE"})
_VERIFIED = frozenset({"SELF_DECLARED", "VERIFIED", "VETTED_VERIFIED"})
_EIN = re.compile(r"\d{2}-?\d{7}")
_MAX_RECORDS = 500
_MIN_DESCRIPTION, _MAX_DESCRIPTION = 40, 4096

_INVALID, _NO_BRAND, _NO_CAMPAIGN, _DUPLICATE, _BUSY, _UNVERIFIED, _NOT_SHAREABLE = 501, 502, 503, 504, 505, 506, 507


class RegistryRoutes:
    """HTTP for the registry."""

    def __init__(self, shared: SharedState, registry: SimulatedRegistry) -> None:
        self._shared = shared
        self._registry = registry

    def routes(self) -> list[VendorRoute]:
        """Every operation at the registry."""
        return [
            VendorRoute("POST", "/v2/brand/nonBlocking", "brands.create", self.create_brand),
            VendorRoute("GET", "/v2/brand", "brands.find", self.find_brands),
            VendorRoute("GET", "/v2/brand/*", "brands.get", self.get_brand),
            VendorRoute("PUT", "/v2/brand/*", "brands.update", self.update_brand),
            VendorRoute("DELETE", "/v2/brand/*", "brands.delete", self.delete_brand),
            VendorRoute("PUT", "/v2/brand/*/revet", "brands.revet", self.revet_brand),
            VendorRoute("GET", "/v2/brand/feedback/*", "brands.feedback", self.feedback),
            VendorRoute("POST", "/v2/campaignBuilder", "campaigns.create", self.create_campaign),
            VendorRoute("GET", "/v2/campaign", "campaigns.find", self.find_campaigns),
            VendorRoute("GET", "/v2/campaign/*", "campaigns.get", self.get_campaign),
            VendorRoute("DELETE", "/v2/campaign/*", "campaigns.deactivate", self.deactivate),
            VendorRoute("GET", "/v2/campaign/*/mnoMetadata", "campaigns.metadata", self.metadata),
            VendorRoute("GET", "/v2/campaign/*/operationStatus", "campaigns.operations", self.operations),
            VendorRoute("GET", "/v2/campaign/*/sharing", "campaigns.sharing", self.sharing),
            VendorRoute("PUT", "/v2/campaign/*/sharing/*", "campaigns.share", self.share),
            VendorRoute("PUT", "/v2/webhook/subscription", "webhooks.subscribe", self.subscribe),
            VendorRoute("GET", "/v2/webhook/subscription", "webhooks.list", self.subscriptions),
            VendorRoute("DELETE", "/v2/webhook/subscription/*", "webhooks.unsubscribe", self.unsubscribe),
        ]

    # ── brands ──────────────────────────────────────────────────────────────────────────────────────────────

    def create_brand(self, call: ApiCall) -> HttpResponse:
        """Register a brand without waiting for its score."""
        fields = _object(call)
        _require(fields, _BRAND_FIELDS)
        _require_tax_id(fields)
        self._require_new(call, "brand", fields)
        brand = self._registry.create_brand(call.account, fields, at=call.at)
        return json_response(200, _brand(brand))

    def get_brand(self, call: ApiCall) -> HttpResponse:
        """One brand; a deleted one is not found."""
        return json_response(200, _brand(_find_brand(call)))

    def find_brands(self, call: ApiCall) -> HttpResponse:
        """Brands by reference, deleted ones included."""
        return _records(call, [(brand.fields, _brand(brand)) for brand in _selected_brands(call)])

    def update_brand(self, call: ApiCall) -> HttpResponse:
        """Replace what may change; a new name or tax id is checked again."""
        brand, body = _find_brand(call), _object(call)
        _require(body, _BRAND_FIELDS)
        _require_tax_id(body)
        fixed = {name: value for name, value in brand.fields.items() if name in _FIXED}
        fields = {**{name: value for name, value in body.items() if name not in _FIXED}, **fixed}
        identity = ("companyName", "ein", "einIssuingCountry", "entityType", "displayName")
        is_changed = any(fields.get(name) != brand.fields.get(name) for name in identity)
        brand.fields = fields
        self._shared.mark_changed(call.account, brand)
        self._registry.send_brand_event(call.account, brand, "BRAND_UPDATE", call.at)
        if is_changed:
            self._registry.check_identity(call.account, brand, at=call.at)
        return json_response(200, _brand(brand))

    def revet_brand(self, call: ApiCall) -> HttpResponse:
        """Check a brand's identity again."""
        brand = _find_brand(call)
        self._registry.check_identity(call.account, brand, at=call.at)
        self._registry.send_brand_event(call.account, brand, "BRAND_REVET", call.at)
        return json_response(200, _brand(brand))

    def delete_brand(self, call: ApiCall) -> HttpResponse:
        """Delete a brand without active campaigns."""
        brand = _find_brand(call)
        if any(c.brand_id == brand.id and c.status == "ACTIVE" for c in call.account.campaigns.values()):
            raise _error(400, _BUSY, "brandId", "Brand has active campaigns")
        self._registry.delete_brand(call.account, brand, at=call.at)
        return HttpResponse(204)

    def feedback(self, call: ApiCall) -> HttpResponse:
        """Why a brand's identity was not verified; empty before the check."""
        brand = _find_brand(call)
        return json_response(200, {"brandId": brand.id, "category": brand.feedback})

    # ── campaigns ───────────────────────────────────────────────────────────────────────────────────────────

    def create_campaign(self, call: ApiCall) -> HttpResponse:
        """Register a campaign of a verified brand."""
        fields = _object(call)
        _require(fields, _CAMPAIGN_FIELDS)
        brand = call.account.brands.get(str(fields["brandId"]))
        if brand is None or brand.is_deleted:
            raise _error(400, _NO_BRAND, "brandId", "Brand not found")
        if brand.identity_status not in _VERIFIED:
            raise _error(400, _UNVERIFIED, "brandId", "Brand is not verified")
        description = str(fields["description"])
        if not _MIN_DESCRIPTION <= len(description) <= _MAX_DESCRIPTION:
            raise _error(400, _INVALID, "description", "description must be 40 to 4096 characters")
        self._require_new(call, "campaign", fields)
        campaign = self._registry.create_campaign(call.account, brand, fields, at=call.at)
        return json_response(200, {"campaignId": campaign.id, "mnoMetadata": operator_metadata(campaign, brand)})

    def get_campaign(self, call: ApiCall) -> HttpResponse:
        """One campaign."""
        return json_response(200, _campaign(_find_campaign(call)))

    def find_campaigns(self, call: ApiCall) -> HttpResponse:
        """Campaigns by reference, expired ones included."""
        return _records(call, [(campaign.fields, _campaign(campaign)) for campaign in _selected_campaigns(call)])

    def deactivate(self, call: ApiCall) -> HttpResponse:
        """End a campaign for good; repeating it is allowed."""
        campaign = _find_campaign(call)
        if campaign.status == "ACTIVE":
            self._registry.expire(call.account, campaign, at=call.at)
        return HttpResponse(204)

    def metadata(self, call: ApiCall) -> HttpResponse:
        """What each operator requires and grants."""
        campaign = _find_campaign(call)
        return json_response(200, operator_metadata(campaign, call.account.brands.get(campaign.brand_id)))

    def operations(self, call: ApiCall) -> HttpResponse:
        """The status of a campaign at each operator that reports."""
        return json_response(200, _find_campaign(call).operations)

    def sharing(self, call: ApiCall) -> HttpResponse:
        """The sharing of a campaign with the carrier."""
        shared = _sharing(_find_campaign(call))
        return json_response(200, {"sharedByMe": shared, "sharedWithMe": None})

    def share(self, call: ApiCall) -> HttpResponse:
        """Share a campaign with a partner; repeating it with the same one changes nothing."""
        campaign, upstream = _find_campaign(call), call.tail[1]
        if campaign.status != "ACTIVE":
            raise _error(400, _NOT_SHAREABLE, "campaignId", "Campaign is expired")
        if campaign.sharing in ("PENDING", "ACCEPTED"):
            if campaign.upstream != upstream:
                raise _error(400, _NOT_SHAREABLE, "upstreamCnpId", f"Campaign is shared with {campaign.upstream}")
        else:
            self._registry.share(call.account, campaign, upstream, at=call.at)
        return json_response(200, _sharing(campaign))

    # ── webhooks ────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, call: ApiCall) -> HttpResponse:
        """Set the URL for one category of events."""
        body = _object(call)
        category, url = str(body.get("eventCategory") or ""), str(body.get("webhookEndpoint") or "")
        if category not in _CATEGORIES:
            raise _error(400, _INVALID, "eventCategory", "eventCategory is not known")
        if not url.startswith(("http://", "https://")):
            raise _error(400, _INVALID, "webhookEndpoint", "webhookEndpoint must be a URL")
        webhook = RegistryWebhook(category, url, call.at)
        call.account.webhooks[category] = webhook
        self._shared.mark_changed(call.account, webhook)
        return json_response(200, _webhook(webhook))

    def subscriptions(self, call: ApiCall) -> HttpResponse:
        """Every URL."""
        return json_response(200, [_webhook(webhook) for webhook in call.account.webhooks.values()])

    def unsubscribe(self, call: ApiCall) -> HttpResponse:
        """Delete the URL of one category."""
        if call.account.webhooks.pop(call.tail[0], None) is not None:
            self._shared.mark_deleted(call.account, "webhook", call.tail[0])
        return HttpResponse(204)

    def _require_new(self, call: ApiCall, kind: str, fields: Mapping[str, object]) -> None:
        reference = fields.get("referenceId")
        if reference and (kind, str(reference)) in call.account.by_reference:
            call.account.count(f"repeated_{kind}_reference")
            raise _error(400, _DUPLICATE, "referenceId", "referenceId is already used")


def _error(status: int, code: int, field: str, description: str) -> RequestRejected:
    return RequestRejected(json_response(status, [{"code": code, "field": field, "description": description}]))


def _object(call: ApiCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.request.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(400, _INVALID, "", "the body must be a JSON object") from error


def _require(fields: Mapping[str, object], names: Sequence[str]) -> None:
    for name in names:
        if not fields.get(name):
            raise _error(400, _INVALID, name, f"{name} is required")


def _require_tax_id(fields: Mapping[str, object]) -> None:
    ein = fields.get("ein")
    is_american = fields.get("einIssuingCountry", fields.get("country")) == "US"
    is_invalid = is_american and ein is not None and not _EIN.fullmatch(str(ein))
    if is_invalid or brand_outcome(fields) is BrandOutcome.REJECTED:
        raise _error(400, _INVALID, "ein", "ein is invalid")


def _find_brand(call: ApiCall) -> RegistryBrand:
    brand = call.account.brands.get(call.tail[0])
    if brand is None or brand.is_deleted:
        raise _error(404, _NO_BRAND, "brandId", "Brand not found")
    return brand


def _find_campaign(call: ApiCall) -> RegistryCampaign:
    campaign = call.account.campaigns.get(call.tail[0])
    if campaign is None:
        raise _error(404, _NO_CAMPAIGN, "campaignId", "Campaign not found")
    return campaign


def _selected_brands(call: ApiCall) -> list[RegistryBrand]:
    return [call.account.brands[key] for key in _selected(call, "brand", call.account.brands)]


def _selected_campaigns(call: ApiCall) -> list[RegistryCampaign]:
    return [call.account.campaigns[key] for key in _selected(call, "campaign", call.account.campaigns)]


def _selected(call: ApiCall, kind: str, everything: Mapping[str, object]) -> list[str]:
    reference = call.query.get("referenceId")
    if not reference:
        return list(everything)
    record_id = call.account.by_reference.get((kind, reference))
    return [record_id] if record_id is not None else []


def _records(call: ApiCall, rows: list[tuple[dict[str, object], dict[str, object]]]) -> HttpResponse:
    page, size = call.query.get("page", "1"), call.query.get("recordsPerPage", "10")
    if not page.isdigit() or not size.isdigit() or int(page) < 1 or not 1 <= int(size) <= _MAX_RECORDS:
        raise _error(400, _INVALID, "recordsPerPage", "page begins at 1, recordsPerPage is at most 500")
    start = (int(page) - 1) * int(size)
    shown = [row for _, row in rows[start : start + int(size)]]
    return json_response(200, {"records": shown, "page": int(page), "totalRecords": len(rows)})


def _brand(brand: RegistryBrand) -> dict[str, object]:
    ein = str(brand.fields.get("ein") or "").replace("-", "")
    return {
        **brand.fields,
        "brandId": brand.id,
        "cspId": CSP_ID,
        "identityStatus": brand.identity_status,
        "universalEin": f"US_{ein}" if ein else None,
        "optionalAttributes": {},
        "mock": bool(brand.fields.get("mock")),
    }


def _campaign(campaign: RegistryCampaign) -> dict[str, object]:
    return {
        **campaign.fields,
        "campaignId": campaign.id,
        "cspId": CSP_ID,
        "brandId": campaign.brand_id,
        "status": campaign.status,
        "createDate": stamp(campaign.created_at),
        "billedDate": stamp(campaign.created_at)[:10],
        "nextRenewalOrExpirationDate": stamp(campaign.expires_at)[:10],
        "expirationDate": stamp(campaign.expires_at)[:10] if campaign.status == "EXPIRED" else None,
        "mock": False,
    }


def _sharing(campaign: RegistryCampaign) -> dict[str, object] | None:
    if campaign.sharing is None:
        return None
    shared: dict[str, object] = {
        "downstreamCnpId": CSP_ID,
        "upstreamCnpId": campaign.upstream,
        "sharingStatus": campaign.sharing,
        "sharedDate": stamp(campaign.shared_at),
        "statusDate": stamp(campaign.sharing_changed_at),
    }
    if campaign.sharing == "DECLINED" and campaign.reasons:
        shared["explanation"] = campaign.reasons[0]
    return shared


def _webhook(webhook: RegistryWebhook) -> dict[str, str]:
    return {"eventCategory": webhook.id, "webhookEndpoint": webhook.url}
