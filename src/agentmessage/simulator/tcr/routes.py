"""The registry's routes under `/v2`: JSON in camelCase, refusals as an array of code, field and description."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agentmessage.simulator.core.entities import Brand, Campaign, Webhook
from agentmessage.simulator.core.http_types import Reply, json_reply
from agentmessage.simulator.core.magic_values import BrandFate, fate_of_brand
from agentmessage.simulator.core.routing import Call, Refused, Route
from agentmessage.simulator.core.shared_state import Realm, stamp
from agentmessage.simulator.tcr.operator_metadata import operator_metadata
from agentmessage.simulator.tcr.registry import CSP_ID, RegistryDesk

_BRAND_FIELDS = ("entityType", "displayName", "country")
_CAMPAIGN_FIELDS = ("brandId", "usecase", "description")
_FIXED = frozenset({"brandId", "cspId", "identityStatus", "universalEin", "mock", "referenceId"})
_CATEGORIES = frozenset({"BRAND", "CAMPAIGN", "VETTING", "CSP", "INCIDENCE"})
_VERIFIED = frozenset({"SELF_DECLARED", "VERIFIED", "VETTED_VERIFIED"})
_EIN = re.compile(r"\d{2}-?\d{7}")
_MOST_RECORDS = 500
_LEAST_TEXT, _MOST_TEXT = 40, 4096

_INVALID, _NO_BRAND, _NO_CAMPAIGN, _USED, _BUSY, _UNVERIFIED, _NO_SHARE = 501, 502, 503, 504, 505, 506, 507


class RegistryRoutes:
    """Speaks for the registry desk."""

    def __init__(self, realm: Realm, desk: RegistryDesk) -> None:
        self._realm = realm
        self._desk = desk

    def routes(self) -> list[Route]:
        """Every operation at the registry."""
        return [
            Route("POST", "/v2/brand/nonBlocking", "brands.create", self.create_brand),
            Route("GET", "/v2/brand", "brands.find", self.find_brands),
            Route("GET", "/v2/brand/*", "brands.get", self.get_brand),
            Route("PUT", "/v2/brand/*", "brands.update", self.update_brand),
            Route("DELETE", "/v2/brand/*", "brands.delete", self.delete_brand),
            Route("PUT", "/v2/brand/*/revet", "brands.revet", self.revet_brand),
            Route("GET", "/v2/brand/feedback/*", "brands.feedback", self.feedback),
            Route("POST", "/v2/campaignBuilder", "campaigns.create", self.create_campaign),
            Route("GET", "/v2/campaign", "campaigns.find", self.find_campaigns),
            Route("GET", "/v2/campaign/*", "campaigns.get", self.get_campaign),
            Route("DELETE", "/v2/campaign/*", "campaigns.deactivate", self.deactivate),
            Route("GET", "/v2/campaign/*/mnoMetadata", "campaigns.metadata", self.metadata),
            Route("GET", "/v2/campaign/*/operationStatus", "campaigns.operations", self.operations),
            Route("GET", "/v2/campaign/*/sharing", "campaigns.sharing", self.sharing),
            Route("PUT", "/v2/campaign/*/sharing/*", "campaigns.share", self.share),
            Route("PUT", "/v2/webhook/subscription", "webhooks.subscribe", self.subscribe),
            Route("GET", "/v2/webhook/subscription", "webhooks.list", self.subscriptions),
            Route("DELETE", "/v2/webhook/subscription/*", "webhooks.unsubscribe", self.unsubscribe),
        ]

    # ── brands ──────────────────────────────────────────────────────────────────────────────────────────────

    def create_brand(self, call: Call) -> Reply:
        """Register a brand without waiting for its score."""
        fields = _object(call)
        _require(fields, _BRAND_FIELDS)
        _require_tax_id(fields)
        self._require_new(call, "brand", fields)
        brand = self._desk.create_brand(call.account, fields, at=call.at)
        return json_reply(200, _brand(brand))

    def get_brand(self, call: Call) -> Reply:
        """One brand; a deleted one is not found."""
        return json_reply(200, _brand(_find_brand(call)))

    def find_brands(self, call: Call) -> Reply:
        """Brands by reference; deleted ones are among them."""
        return _records(call, [(brand.fields, _brand(brand)) for brand in _picked_brands(call)])

    def update_brand(self, call: Call) -> Reply:
        """Replace what may change; a new name or tax id is looked at again."""
        brand, given = _find_brand(call), _object(call)
        _require(given, _BRAND_FIELDS)
        _require_tax_id(given)
        kept = {name: value for name, value in brand.fields.items() if name in _FIXED}
        fields = {**{name: value for name, value in given.items() if name not in _FIXED}, **kept}
        identity = ("companyName", "ein", "einIssuingCountry", "entityType", "displayName")
        is_other = any(fields.get(name) != brand.fields.get(name) for name in identity)
        brand.fields = fields
        self._realm.touch(call.account, brand)
        self._desk.tell_brand(call.account, brand, "BRAND_UPDATE", call.at)
        if is_other:
            self._desk.look_at(call.account, brand, at=call.at)
        return json_reply(200, _brand(brand))

    def revet_brand(self, call: Call) -> Reply:
        """Look at a brand's identity once more."""
        brand = _find_brand(call)
        self._desk.look_at(call.account, brand, at=call.at)
        self._desk.tell_brand(call.account, brand, "BRAND_REVET", call.at)
        return json_reply(200, _brand(brand))

    def delete_brand(self, call: Call) -> Reply:
        """Delete a brand that carries no active campaign."""
        brand = _find_brand(call)
        if any(c.brand_id == brand.id and c.status == "ACTIVE" for c in call.account.campaigns.values()):
            raise _refuse(400, _BUSY, "brandId", "Brand has active campaigns")
        self._desk.delete_brand(call.account, brand, at=call.at)
        return Reply(204)

    def feedback(self, call: Call) -> Reply:
        """Why a brand's identity was not verified; empty while nobody has looked."""
        brand = _find_brand(call)
        return json_reply(200, {"brandId": brand.id, "category": brand.feedback})

    # ── campaigns ───────────────────────────────────────────────────────────────────────────────────────────

    def create_campaign(self, call: Call) -> Reply:
        """Register a campaign of a verified brand."""
        fields = _object(call)
        _require(fields, _CAMPAIGN_FIELDS)
        brand = call.account.brands.get(str(fields["brandId"]))
        if brand is None or brand.is_deleted:
            raise _refuse(400, _NO_BRAND, "brandId", "Brand not found")
        if brand.identity_status not in _VERIFIED:
            raise _refuse(400, _UNVERIFIED, "brandId", "Brand is not verified")
        description = str(fields["description"])
        if not _LEAST_TEXT <= len(description) <= _MOST_TEXT:
            raise _refuse(400, _INVALID, "description", "description must be 40 to 4096 characters")
        self._require_new(call, "campaign", fields)
        campaign = self._desk.create_campaign(call.account, brand, fields, at=call.at)
        return json_reply(200, {"campaignId": campaign.id, "mnoMetadata": operator_metadata(campaign, brand)})

    def get_campaign(self, call: Call) -> Reply:
        """One campaign."""
        return json_reply(200, _campaign(_find_campaign(call)))

    def find_campaigns(self, call: Call) -> Reply:
        """Campaigns by reference; expired ones are among them."""
        return _records(call, [(campaign.fields, _campaign(campaign)) for campaign in _picked_campaigns(call)])

    def deactivate(self, call: Call) -> Reply:
        """End a campaign for good; again is fine."""
        campaign = _find_campaign(call)
        if campaign.status == "ACTIVE":
            self._desk.expire(call.account, campaign, at=call.at)
        return Reply(204)

    def metadata(self, call: Call) -> Reply:
        """What each operator demands and grants."""
        campaign = _find_campaign(call)
        return json_reply(200, operator_metadata(campaign, call.account.brands.get(campaign.brand_id)))

    def operations(self, call: Call) -> Reply:
        """How each operator that reports stands to a campaign."""
        return json_reply(200, _find_campaign(call).operations)

    def sharing(self, call: Call) -> Reply:
        """How far up the chain a campaign is."""
        shared = _sharing(_find_campaign(call))
        return json_reply(200, {"sharedByMe": shared, "sharedWithMe": None})

    def share(self, call: Call) -> Reply:
        """Share a campaign with a partner; again with the same one changes nothing."""
        campaign, upstream = _find_campaign(call), call.tail[1]
        if campaign.status != "ACTIVE":
            raise _refuse(400, _NO_SHARE, "campaignId", "Campaign is expired")
        if campaign.sharing in ("PENDING", "ACCEPTED"):
            if campaign.upstream != upstream:
                raise _refuse(400, _NO_SHARE, "upstreamCnpId", f"Campaign is shared with {campaign.upstream}")
        else:
            self._desk.share(call.account, campaign, upstream, at=call.at)
        return json_reply(200, _sharing(campaign))

    # ── webhooks ────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, call: Call) -> Reply:
        """Set the address for one category of events."""
        given = _object(call)
        category, url = str(given.get("eventCategory") or ""), str(given.get("webhookEndpoint") or "")
        if category not in _CATEGORIES:
            raise _refuse(400, _INVALID, "eventCategory", "eventCategory is not known")
        if not url.startswith(("http://", "https://")):
            raise _refuse(400, _INVALID, "webhookEndpoint", "webhookEndpoint must be an address")
        webhook = Webhook(category, url, call.at)
        call.account.webhooks[category] = webhook
        self._realm.touch(call.account, webhook)
        return json_reply(200, _webhook(webhook))

    def subscriptions(self, call: Call) -> Reply:
        """Every address."""
        return json_reply(200, [_webhook(webhook) for webhook in call.account.webhooks.values()])

    def unsubscribe(self, call: Call) -> Reply:
        """Forget the address of one category."""
        if call.account.webhooks.pop(call.tail[0], None) is not None:
            self._realm.forget(call.account, "webhook", call.tail[0])
        return Reply(204)

    def _require_new(self, call: Call, kind: str, fields: Mapping[str, object]) -> None:
        reference = fields.get("referenceId")
        if reference and (kind, str(reference)) in call.account.by_reference:
            call.account.count(f"repeated_{kind}_reference")
            raise _refuse(400, _USED, "referenceId", "referenceId is already used")


def _refuse(status: int, code: int, field: str, description: str) -> Refused:
    return Refused(json_reply(status, [{"code": code, "field": field, "description": description}]))


def _object(call: Call) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.request.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refuse(400, _INVALID, "", "the body must be a JSON object") from error


def _require(fields: Mapping[str, object], names: Sequence[str]) -> None:
    for name in names:
        if not fields.get(name):
            raise _refuse(400, _INVALID, name, f"{name} is required")


def _require_tax_id(fields: Mapping[str, object]) -> None:
    ein = fields.get("ein")
    is_american = fields.get("einIssuingCountry", fields.get("country")) == "US"
    is_wrong = is_american and ein is not None and not _EIN.fullmatch(str(ein))
    if is_wrong or fate_of_brand(fields) is BrandFate.REFUSED:
        raise _refuse(400, _INVALID, "ein", "ein is invalid")


def _find_brand(call: Call) -> Brand:
    brand = call.account.brands.get(call.tail[0])
    if brand is None or brand.is_deleted:
        raise _refuse(404, _NO_BRAND, "brandId", "Brand not found")
    return brand


def _find_campaign(call: Call) -> Campaign:
    campaign = call.account.campaigns.get(call.tail[0])
    if campaign is None:
        raise _refuse(404, _NO_CAMPAIGN, "campaignId", "Campaign not found")
    return campaign


def _picked_brands(call: Call) -> list[Brand]:
    return [call.account.brands[key] for key in _picked(call, "brand", call.account.brands)]


def _picked_campaigns(call: Call) -> list[Campaign]:
    return [call.account.campaigns[key] for key in _picked(call, "campaign", call.account.campaigns)]


def _picked(call: Call, kind: str, everything: Mapping[str, object]) -> list[str]:
    reference = call.query.get("referenceId")
    if not reference:
        return list(everything)
    found = call.account.by_reference.get((kind, reference))
    return [found] if found is not None else []


def _records(call: Call, rows: list[tuple[dict[str, object], dict[str, object]]]) -> Reply:
    page, size = call.query.get("page", "1"), call.query.get("recordsPerPage", "10")
    if not page.isdigit() or not size.isdigit() or int(page) < 1 or not 1 <= int(size) <= _MOST_RECORDS:
        raise _refuse(400, _INVALID, "recordsPerPage", "page begins at 1, recordsPerPage is at most 500")
    start = (int(page) - 1) * int(size)
    shown = [row for _, row in rows[start : start + int(size)]]
    return json_reply(200, {"records": shown, "page": int(page), "totalRecords": len(rows)})


def _brand(brand: Brand) -> dict[str, object]:
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


def _campaign(campaign: Campaign) -> dict[str, object]:
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


def _sharing(campaign: Campaign) -> dict[str, object] | None:
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


def _webhook(webhook: Webhook) -> dict[str, str]:
    return {"eventCategory": webhook.id, "webhookEndpoint": webhook.url}
