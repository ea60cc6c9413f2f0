"""The Campaign Registry's side: brands get an identity, campaigns are shared, reviewed, suspended and expired."""

from collections.abc import Mapping

from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.callbacks import notify_registry
from agentmessage.simulator.core.entities import Brand, Campaign
from agentmessage.simulator.core.magic_values import BrandFate, CampaignFate, fate_of_brand, fate_of_campaign
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import Realm

CSP_ID = "SSIMULA"
OPERATOR_NAMES = {"10017": "AT&T", "10035": "T-Mobile", "10036": "US Cellular", "10038": "Verizon Wireless"}
TERM_S = 90 * 86_400.0
"""A campaign is paid by the quarter."""

_FEEDBACK: dict[str, object] = {
    "id": "TAX_ID",
    "displayName": "Tax ID",
    "description": "The tax id and the legal company name do not belong together.",
    "fields": ["ein", "companyName"],
}


class RegistryDesk:
    """What happens to brands and campaigns."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    # ── brands ──────────────────────────────────────────────────────────────────────────────────────────────

    def create_brand(self, account: Account, fields: dict[str, object], *, at: float) -> Brand:
        """Register a brand; whoever it is, is found out later."""
        realm = self._realm
        number = account.count("brand")
        brand = Brand(realm.dice.registry_id("B", "brand", account.id, number), fields, at, "UNVERIFIED")
        account.keep_brand(brand)
        realm.touch(account, brand)
        self.tell_brand(account, brand, "BRAND_ADD", at)
        self.look_at(account, brand, at=at)
        return brand

    def look_at(self, account: Account, brand: Brand, *, at: float) -> None:
        """Let the registry look at a brand's identity, again or for the first time."""
        realm = self._realm
        brand.identity_status = "UNVERIFIED"
        brand.feedback = []
        realm.unplan(brand, "identity")
        realm.touch(account, brand)
        if fate_of_brand(brand.fields) is BrandFate.STUCK:
            return
        delay_s = realm.dice.within(realm.profile.brand_identity, "identity", brand.id, brand.looked_at)
        realm.plan(account, brand, at + delay_s, "identity")

    def step_brand(self, account: Account, brand: Brand, step: str, at: float) -> None:
        """Let a planned step happen: the only one is `identity`."""
        if step != "identity":
            raise ValueError(step)
        fate = fate_of_brand(brand.fields)
        brand.looked_at += 1
        is_refused = fate is BrandFate.UNVERIFIED or (fate is BrandFate.FIXABLE and brand.looked_at == 1)
        if is_refused or self._realm.faults.strikes("brand_unverified", operation="brands", account=account.id):
            brand.identity_status, brand.feedback = "UNVERIFIED", [dict(_FEEDBACK)]
        elif fate is BrandFate.VETTED:
            brand.identity_status = "VETTED_VERIFIED"
        else:
            is_sole = brand.fields.get("entityType") == "SOLE_PROPRIETOR"
            brand.identity_status = "SELF_DECLARED" if is_sole else "VERIFIED"
        self._realm.touch(account, brand)
        self.tell_brand(account, brand, "BRAND_SCORE_UPDATE", at)
        self.tell_brand(account, brand, "BRAND_IDENTITY_STATUS_UPDATE", at)

    def delete_brand(self, account: Account, brand: Brand, *, at: float) -> None:
        """Delete for good; it stays in lists."""
        brand.is_deleted = True
        self._realm.touch(account, brand)
        self.tell_brand(account, brand, "BRAND_DELETE", at)

    def tell_brand(self, account: Account, brand: Brand, event_type: str, at: float) -> None:
        """Send one brand event."""
        event = {
            "eventType": event_type,
            "cspId": CSP_ID,
            "brandId": brand.id,
            "brandName": brand.fields.get("displayName"),
            "brandReferenceId": brand.fields.get("referenceId"),
            "brandIdentityStatus": brand.identity_status,
        }
        notify_registry(self._realm, account, "BRAND", _told(event), at=at)

    # ── campaigns ───────────────────────────────────────────────────────────────────────────────────────────

    def create_campaign(self, account: Account, brand: Brand, fields: dict[str, object], *, at: float) -> Campaign:
        """Register a campaign; the carrier knows nothing of it until it is shared."""
        realm = self._realm
        number = account.count("campaign")
        campaign = Campaign(realm.dice.registry_id("C", "campaign", account.id, number), brand.id, fields, at)
        campaign.expires_at = at + TERM_S
        campaign.magic = fate_of_campaign(fields).value
        account.keep_campaign(campaign)
        realm.touch(account, campaign)
        self.tell_campaign(account, campaign, "CAMPAIGN_ADD", at)
        self.tell_campaign(account, campaign, "CAMPAIGN_BILLED", at)
        return campaign

    def share(self, account: Account, campaign: Campaign, upstream: str, *, at: float) -> None:
        """Ask a connectivity partner to take a campaign on."""
        realm = self._realm
        campaign.sharing, campaign.upstream = "PENDING", upstream
        campaign.shared_at = campaign.sharing_changed_at = at
        realm.touch(account, campaign)
        self.tell_campaign(account, campaign, "CAMPAIGN_SHARE_ADD", at)
        if campaign.magic != CampaignFate.STUCK:
            delay_s = realm.dice.within(realm.profile.share_acceptance, "share", campaign.id, int(at))
            realm.plan(account, campaign, at + delay_s, "answer")

    def step_campaign(self, account: Account, campaign: Campaign, step: str, at: float) -> None:
        """Let a planned step happen."""
        if campaign.status != "ACTIVE":
            return
        match step.partition(":"):
            case ("answer", _, _):
                self._answer_share(account, campaign, at)
            case ("import", _, _):
                campaign.is_imported = True
                self._realm.touch(account, campaign)
            case ("review", _, operator):
                self._review(account, campaign, operator, at)
            case ("suspend", _, _):
                self.suspend(account, campaign, at=at)
            case ("resume", _, _):
                self.resume(account, campaign, at=at)
            case ("expire", _, _):
                self.expire(account, campaign, at=at)
            case _:
                raise ValueError(step)

    def suspend(self, account: Account, campaign: Campaign, *, at: float) -> None:
        """Every operator stops it; its numbers leave the override registry until it comes back."""
        campaign.is_suspended = True
        campaign.operations = dict.fromkeys(campaign.operations or OPERATORS, "SUSPENDED")
        self._unbind_all(account, campaign, at=at, returning=True)
        self._realm.touch(account, campaign)
        self._tell_operators(account, campaign, "SUSPENDED", at)

    def resume(self, account: Account, campaign: Campaign, *, at: float) -> None:
        """A suspended campaign comes back, and its numbers with it."""
        campaign.is_suspended = False
        campaign.operations = dict.fromkeys(campaign.operations or OPERATORS, "APPROVED")
        for line in account.lines.values():
            if line.returns_to == campaign.id:
                line.returns_to = None
                if line.campaign(at) is None and line.is_settled(at):
                    account.change(line, goal=campaign.id, at=at)
                self._realm.touch(account, line)
        self._realm.touch(account, campaign)
        self._tell_operators(account, campaign, "UNSUSPENDED", at)

    def expire(self, account: Account, campaign: Campaign, *, at: float) -> None:
        """The end; its numbers leave the override registry for good."""
        campaign.status = "EXPIRED"
        campaign.expires_at = at
        campaign.steps = []
        self._unbind_all(account, campaign, at=at, returning=False)
        self._realm.touch(account, campaign)
        self.tell_campaign(account, campaign, "CAMPAIGN_EXPIRED", at)

    def approve(self, account: Account, campaign: Campaign) -> None:
        """Put a campaign at its good end at once: accepted, imported, approved by every operator."""
        campaign.status, campaign.sharing = "ACTIVE", "ACCEPTED"
        campaign.is_imported, campaign.is_suspended, campaign.is_asleep = True, False, False
        campaign.operations = dict.fromkeys(OPERATORS, "APPROVED")
        campaign.reasons = []
        campaign.steps = []
        self._realm.touch(account, campaign)

    def tell_campaign(
        self, account: Account, campaign: Campaign, event_type: str, at: float, **more: str | int
    ) -> None:
        """Send one campaign event."""
        brand = account.brands.get(campaign.brand_id)
        event = {
            "eventType": event_type,
            "cspId": CSP_ID,
            "brandId": campaign.brand_id,
            "brandName": brand.fields.get("displayName") if brand else None,
            "campaignId": campaign.id,
            "campaignReferenceId": campaign.fields.get("referenceId"),
            **more,
        }
        notify_registry(self._realm, account, "CAMPAIGN", _told(event), at=at)

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _answer_share(self, account: Account, campaign: Campaign, at: float) -> None:
        realm = self._realm
        campaign.sharing_changed_at = at
        is_declined = campaign.magic == CampaignFate.DECLINED
        if is_declined or realm.faults.strikes("campaign_declined", operation="campaigns", account=account.id):
            campaign.sharing = "DECLINED"
            campaign.reasons = ["The call to action does not say how consent is given."]
            realm.touch(account, campaign)
            self.tell_campaign(account, campaign, "CAMPAIGN_SHARE_DELETE", at, description=campaign.reasons[0])
            return
        campaign.sharing = "ACCEPTED"
        campaign.operations = dict.fromkeys(OPERATORS, "REVIEW")
        self.tell_campaign(account, campaign, "CAMPAIGN_SHARE_ACCEPT", at)
        if campaign.magic != CampaignFate.UNIMPORTED:
            delay_s = realm.dice.within(realm.profile.campaign_import, "import", campaign.id)
            realm.plan(account, campaign, at + delay_s, "import")
        for operator in OPERATORS:
            delay_s = realm.dice.within(realm.profile.review_of(operator), "review", campaign.id, operator)
            realm.plan(account, campaign, at + delay_s, f"review:{operator}")

    def _review(self, account: Account, campaign: Campaign, operator: str, at: float) -> None:
        realm = self._realm
        is_rejected = campaign.magic == CampaignFate.REJECTED and operator == "10035"
        if is_rejected or realm.faults.strikes("campaign_rejected", operation="campaigns", account=account.id):
            campaign.operations[operator] = "REJECTED"
            campaign.reasons = ["The samples do not match the use case."]
        elif campaign.operations.get(operator) == "REVIEW":
            campaign.operations[operator] = "APPROVED"
        realm.touch(account, campaign)
        self._tell_operator(account, campaign, operator, campaign.operations[operator], at)
        if "REVIEW" not in campaign.operations.values():
            self._follow_fate(account, campaign, at)

    def _follow_fate(self, account: Account, campaign: Campaign, at: float) -> None:
        realm = self._realm
        wait_s = realm.dice.within(realm.profile.magic_wait, "magic", campaign.id)
        match campaign.magic:
            case CampaignFate.DORMANT:
                campaign.is_asleep = True
                realm.touch(account, campaign)
            case CampaignFate.SUSPENDED:
                realm.plan(account, campaign, at + wait_s, "suspend")
            case CampaignFate.RECOVERS:
                realm.plan(account, campaign, at + wait_s, "suspend")
                realm.plan(account, campaign, at + 2 * wait_s, "resume")
            case CampaignFate.EXPIRED:
                realm.plan(account, campaign, at + wait_s, "expire")
            case _:
                pass

    def _unbind_all(self, account: Account, campaign: Campaign, *, at: float, returning: bool) -> None:
        for number in list(account.on_campaign.get(campaign.id, ())):
            line = account.lines.get(number)
            if line is not None and campaign.id in (line.campaign(at), line.goal):
                line.returns_to = campaign.id if returning and line.goal == campaign.id else None
                account.change(line, goal=None, at=at)
                self._realm.touch(account, line)

    def _tell_operators(self, account: Account, campaign: Campaign, what: str, at: float) -> None:
        for operator in campaign.operations:
            self._tell_operator(account, campaign, operator, what, at)

    def _tell_operator(self, account: Account, campaign: Campaign, operator: str, what: str, at: float) -> None:
        event_type = f"MNO_CAMPAIGN_OPERATION_{what}"
        name = OPERATOR_NAMES[operator]
        self.tell_campaign(account, campaign, event_type, at, mnoId=int(operator), mnoName=name)


def _told(event: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in event.items() if value is not None}
